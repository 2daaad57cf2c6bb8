//! Decrypted units of segments in memory, at most so many at a time.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::layout::UNIT;

/// The least that a cache holds, in units: a look-up reads a few.
const LEAST: usize = 16;

/// A decrypted unit.
#[derive(Debug)]
pub(crate) struct Unit {
    bytes: Wiped,
    /// It was read since the cache last looked for room.
    used: AtomicBool,
}

impl Unit {
    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.bytes()
    }
}

/// Decrypted bytes, which are wiped when they are dropped: all at once, and not byte by byte as
/// `zeroize` does it. A look-up drops kilobytes of them.
#[derive(Debug)]
pub(crate) struct Wiped(Vec<u8>);

impl From<Vec<u8>> for Wiped {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl Wiped {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl Drop for Wiped {
    fn drop(&mut self) {
        self.0.fill(0);
        // Else the compiler could leave the write of zeros out.
        std::hint::black_box(&self.0);
    }
}

/// A part of a segment, in the map of the file or decrypted.
#[derive(Clone, Debug)]
pub(crate) enum Part<'a> {
    Mapped(&'a [u8]),
    Unit(Arc<Unit>, Range<usize>),
    /// Of several units.
    Joined(Arc<Wiped>, Range<usize>),
}

impl Default for Part<'_> {
    fn default() -> Self {
        Self::Mapped(&[])
    }
}

impl<'a> From<&'a [u8]> for Part<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Mapped(bytes)
    }
}

impl Part<'_> {
    /// A part of it, `None` if it is shorter.
    pub(super) fn part(&self, of: Range<usize>) -> Option<Self> {
        let within = |range: &Range<usize>| {
            let (from, to) = (range.start + of.start, range.start + of.end);
            (from <= to && to <= range.end).then_some(from..to)
        };
        Some(match self {
            Self::Mapped(bytes) => Self::Mapped(bytes.get(of)?),
            Self::Unit(unit, range) => Self::Unit(Arc::clone(unit), within(range)?),
            Self::Joined(bytes, range) => Self::Joined(Arc::clone(bytes), within(range)?),
        })
    }
}

impl std::ops::Deref for Part<'_> {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match self {
            Self::Mapped(bytes) => bytes,
            Self::Unit(unit, range) => unit.bytes().get(range.clone()).unwrap_or_default(),
            Self::Joined(joined, range) => joined.bytes().get(range.clone()).unwrap_or_default(),
        }
    }
}

/// The units of one segment that are decrypted.
#[derive(Debug)]
pub(super) struct Units {
    cache: Arc<UnitCache>,
    places: Box<[Mutex<Option<Arc<Unit>>>]>,
}

impl Units {
    /// So many, none of them decrypted.
    pub(super) fn new(cache: &Arc<UnitCache>, units: usize) -> Arc<Self> {
        let places = std::iter::repeat_with(Mutex::default).take(units).collect();
        Arc::new(Self { cache: Arc::clone(cache), places })
    }

    /// The unit of this number; `decrypted` makes it if it is not in memory. `None`: there is no
    /// such unit.
    pub(super) fn get<E>(
        self: &Arc<Self>,
        number: usize,
        decrypted: impl FnOnce() -> Result<Wiped, E>,
    ) -> Result<Option<Arc<Unit>>, E> {
        let Some(mut place) = self.place(number) else { return Ok(None) };
        if let Some(unit) = place.as_ref() {
            if !unit.used.load(Ordering::Relaxed) {
                unit.used.store(true, Ordering::Relaxed);
            }
            return Ok(Some(Arc::clone(unit)));
        }
        let unit = Arc::new(Unit { bytes: decrypted()?, used: AtomicBool::new(false) });
        *place = Some(Arc::clone(&unit));
        // The cache may take another unit of this segment away, and locks its place for that.
        drop(place);
        self.cache.admit(self, number);
        Ok(Some(unit))
    }

    fn place(&self, number: usize) -> Option<MutexGuard<'_, Option<Arc<Unit>>>> {
        Some(self.places.get(number)?.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Lets a unit go unless it was used since this was last asked.
    fn evict(&self, number: usize) -> bool {
        let Some(mut place) = self.place(number) else { return true };
        match place.as_ref() {
            Some(unit) if unit.used.swap(false, Ordering::Relaxed) => false,
            _ => {
                *place = None;
                true
            }
        }
    }

    #[cfg(test)]
    fn held(&self) -> usize {
        (0..self.places.len()).filter(|number| self.place(*number).unwrap().is_some()).count()
    }
}

/// Bounds the decrypted units of all segments of a store: a clock with one hand.
#[derive(Debug)]
pub(crate) struct UnitCache {
    most: usize,
    clock: Mutex<Clock>,
}

#[derive(Debug, Default)]
struct Clock {
    held: Vec<(Weak<Units>, usize)>,
    hand: usize,
}

impl UnitCache {
    /// One that holds units of about so many bytes.
    pub(crate) fn new(bytes: usize) -> Arc<Self> {
        Arc::new(Self { most: (bytes / UNIT).max(LEAST), clock: Mutex::default() })
    }

    /// Takes note of a new unit. If there are too many, the first that was not used lately goes.
    fn admit(&self, units: &Arc<Units>, number: usize) {
        let mut clock = self.clock.lock().unwrap_or_else(PoisonError::into_inner);
        let Clock { held, hand } = &mut *clock;
        if held.len() < self.most {
            held.push((Arc::downgrade(units), number));
            return;
        }
        // Each unit is met unused the second time, unless others use it at this moment.
        for _ in 0..=2 * held.len() {
            *hand = (*hand + 1) % held.len().max(1);
            let Some(entry) = held.get_mut(*hand) else { return };
            let gone = entry.0.upgrade().is_none_or(|units| units.evict(entry.1));
            if gone {
                *entry = (Arc::downgrade(units), number);
                return;
            }
        }
        held.push((Arc::downgrade(units), number));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(units: &Arc<Units>, number: usize) -> bool {
        let mut was_there = true;
        let unit = units.get(number, || {
            was_there = false;
            Ok::<_, ()>(vec![number as u8; UNIT].into())
        });
        assert_eq!(unit.unwrap().unwrap().bytes(), [number as u8; UNIT]);
        was_there
    }

    #[test]
    fn no_more_units_are_held_than_were_asked_for() {
        let cache = UnitCache::new(64 * UNIT);
        let segments = [Units::new(&cache, 100), Units::new(&cache, 100)];
        for round in 0..3 {
            for number in 0..100 {
                for units in &segments {
                    read(units, number);
                    let held: usize = segments.iter().map(|units| units.held()).sum();
                    assert!(held <= 64, "round {round}, unit {number}: {held}");
                }
            }
        }
        drop(segments);
        let next = Units::new(&cache, 100);
        (0..100).for_each(|number| assert!(!read(&next, number)));
        assert_eq!(next.held(), 64, "the units of segments that are gone make room");
    }

    #[test]
    fn a_unit_that_is_in_use_stays() {
        let cache = UnitCache::new(32 * UNIT);
        let units = Units::new(&cache, 1000);
        read(&units, 0);
        for number in 1..1000 {
            assert!(read(&units, 0), "unit 0 went before unit {number}");
            read(&units, number);
        }
        assert!(units.get(1000, || Ok::<_, ()>(Vec::new().into())).unwrap().is_none());
    }
}

//! Decrypted units of segments in memory, at most this many at a time.

use std::ops::{Deref, Range};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{
    Arc, Mutex, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError,
    Weak,
};

use super::layout::UNIT;

/// The least that a cache holds, in units: a look-up reads a few.
const LEAST: usize = 16;

/// Places for units are allocated together, when the first of them is needed: a large segment has
/// thousands, and a client that opens a store reads few.
const SLOTS: usize = 32;

/// Decrypted bytes, which are wiped when they are dropped: all at once, and not byte by byte as
/// `zeroize` does it. A look-up drops kilobytes of them.
#[derive(Debug)]
pub(crate) struct Wiped(Vec<u8>);

impl From<Vec<u8>> for Wiped {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl Deref for Wiped {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Wiped {
    fn drop(&mut self) {
        self.0.fill(0);
        // Else the compiler could leave the write of zeros out.
        std::hint::black_box(&self.0);
    }
}

/// A part of a segment that stays after the call: in the map of the file, or a decrypted copy.
#[derive(Clone, Debug)]
pub(crate) enum SegmentSlice<'a> {
    Mapped(&'a [u8]),
    Copied(Arc<Wiped>, Range<usize>),
}

impl Deref for SegmentSlice<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Mapped(bytes) => bytes,
            Self::Copied(bytes, range) => bytes.get(range.clone()).unwrap_or_default(),
        }
    }
}

/// The decrypted bytes of a unit. They are wiped when they are dropped.
#[derive(Debug)]
pub(super) struct UnitBytes {
    bytes: [u8; UNIT],
    len: usize,
}

impl UnitBytes {
    /// Copies `sealed` and decrypts the copy in place. `None`: `sealed` is longer than a unit, or
    /// `decrypt` returned false.
    pub(super) fn decrypted(
        sealed: &[u8],
        decrypt: impl FnOnce(&mut [u8]) -> bool,
    ) -> Option<Arc<Self>> {
        let mut unit = Arc::new(Self { bytes: [0; UNIT], len: sealed.len() });
        let text = Arc::get_mut(&mut unit)?.bytes.get_mut(..sealed.len())?;
        text.copy_from_slice(sealed);
        decrypt(text).then_some(unit)
    }
}

impl Deref for UnitBytes {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

impl Drop for UnitBytes {
    fn drop(&mut self) {
        self.bytes.fill(0);
        std::hint::black_box(&self.bytes);
    }
}

/// A decrypted unit while it is read.
#[derive(Debug)]
pub(super) enum Unit<'a> {
    /// In the cache, which does not evict it meanwhile. Reading it counts no reference.
    Cached(RwLockReadGuard<'a, Option<Arc<UnitBytes>>>),
    /// Decrypted by this call.
    New(Arc<UnitBytes>),
}

impl Deref for Unit<'_> {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match self {
            Self::Cached(unit) => unit.as_deref().map(Deref::deref).unwrap_or_default(),
            Self::New(unit) => unit,
        }
    }
}

/// The cache entry of one unit. No thread blocks on its lock: a thread may hold the locks of some units
/// while it reads others, so threads that block could deadlock.
#[derive(Debug, Default)]
struct CacheEntry {
    unit: RwLock<Option<Arc<UnitBytes>>>,
    /// It was read since the cache last looked for room.
    used: AtomicBool,
}

impl CacheEntry {
    /// The unit, if it is decrypted and no other thread changes that just now.
    #[inline]
    fn read(&self) -> Option<RwLockReadGuard<'_, Option<Arc<UnitBytes>>>> {
        let unit = unless_locked(self.unit.try_read())?;
        if unit.is_none() {
            return None;
        }
        if !self.used.load(Ordering::Relaxed) {
            self.used.store(true, Ordering::Relaxed);
        }
        Some(unit)
    }

    fn write(&self) -> Option<RwLockWriteGuard<'_, Option<Arc<UnitBytes>>>> {
        unless_locked(self.unit.try_write())
    }
}

fn unless_locked<G>(locked: Result<G, TryLockError<G>>) -> Option<G> {
    match locked {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(error)) => Some(error.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// The units of one segment that are decrypted.
#[derive(Debug)]
pub(super) struct Units {
    cache: Arc<UnitCache>,
    count: usize,
    entries: Box<[OnceLock<Box<[CacheEntry]>>]>,
}

impl Units {
    /// So many, none of them decrypted.
    pub(super) fn new(cache: &Arc<UnitCache>, count: usize) -> Arc<Self> {
        let entries = std::iter::repeat_with(OnceLock::new).take(count.div_ceil(SLOTS)).collect();
        Arc::new(Self { cache: Arc::clone(cache), count, entries })
    }

    /// The unit of this number; `decrypted` makes it if it is not in memory. `None`: there is no
    /// such unit.
    #[inline]
    pub(super) fn get<E>(
        self: &Arc<Self>,
        number: usize,
        decrypted: impl FnOnce() -> Result<Arc<UnitBytes>, E>,
    ) -> Result<Option<Unit<'_>>, E> {
        let Some(entry) = self.entry(number) else { return Ok(None) };
        if let Some(unit) = entry.read() {
            return Ok(Some(Unit::Cached(unit)));
        }
        let unit = decrypted()?;
        self.keep(entry, number, &unit);
        Ok(Some(Unit::New(unit)))
    }

    #[inline]
    fn entry(&self, number: usize) -> Option<&CacheEntry> {
        let entries = self.entries.get(number / SLOTS).filter(|_| number < self.count)?;
        let new = || std::iter::repeat_with(CacheEntry::default).take(SLOTS).collect();
        entries.get_or_init(new).get(number % SLOTS)
    }

    /// Puts a unit into the cache, unless another thread is at its entry just now.
    #[cold]
    fn keep(self: &Arc<Self>, entry: &CacheEntry, number: usize, unit: &Arc<UnitBytes>) {
        match entry.write() {
            Some(mut empty) if empty.is_none() => *empty = Some(Arc::clone(unit)),
            _ => return,
        }
        self.cache.admit(self, number);
    }

    /// Evicts a unit, unless it is being read or was read since this was last asked.
    fn evict(&self, number: usize) -> bool {
        let Some(entry) = self.entry(number) else { return true };
        if entry.used.swap(false, Ordering::Relaxed) {
            return false;
        }
        entry.write().map(|mut unit| *unit = None).is_some()
    }

    #[cfg(test)]
    fn held(&self) -> usize {
        (0..self.count).filter(|number| self.entry(*number).unwrap().read().is_some()).count()
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
    /// One that holds units of about this many bytes.
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

    fn unit_of(number: usize) -> Arc<UnitBytes> {
        UnitBytes::decrypted(&[number as u8; UNIT], |_| true).unwrap()
    }

    fn read(units: &Arc<Units>, number: usize) -> bool {
        let mut was_there = true;
        let unit = units.get(number, || {
            was_there = false;
            Ok::<_, ()>(unit_of(number))
        });
        assert_eq!(**unit.as_ref().unwrap().as_ref().unwrap(), [number as u8; UNIT]);
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
        assert!(units.get(1000, || Ok::<_, ()>(unit_of(0))).unwrap().is_none());
    }

    #[test]
    fn threads_that_hold_units_while_they_read_others_do_not_wait_for_each_other() {
        let cache = UnitCache::new(16 * UNIT);
        let units = Units::new(&cache, 40);
        std::thread::scope(|threads| {
            for thread in 0..4 {
                let units = &units;
                threads.spawn(move || {
                    let get = |number: usize| {
                        units.get(number, || Ok::<_, ()>(unit_of(number))).unwrap().unwrap()
                    };
                    for round in 0..2_000 {
                        let (one, other) = (round * (thread + 1) % 40, round * 7 % 40);
                        let (first, second) = (get(one), get(other));
                        assert_eq!(*first, [one as u8; UNIT]);
                        assert_eq!(*second, [other as u8; UNIT]);
                        assert_eq!(*get(one), *first);
                    }
                });
            }
        });
        assert!(units.held() <= 20, "{} are held", units.held());
    }
}

//! A disk in memory that loses power, fails calls and is shared by several handles, all decided by
//! a seed.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use super::disk_state::DiskState;
use crate::file::{Disk, LockRange, SECTOR};

/// What a call that fails does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// Nothing, and says so.
    Eio,
    /// A write writes a part of its bytes. Anything else fails as [`Failure::Eio`].
    Short,
    /// Whatever makes the file longer fails.
    NoSpace,
    /// A write succeeds, and a sync that another thread makes fails just after it: pages are lost,
    /// and this thread is not told. Any other call succeeds.
    Elsewhere,
}

impl Failure {
    pub(super) const ALL: [Self; 4] = [Self::Eio, Self::Short, Self::NoSpace, Self::Elsewhere];
}

/// When calls fail.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fault {
    /// The number of the first write, resize or sync that fails.
    pub(super) first: usize,
    /// How many calls fail.
    pub(super) count: usize,
    /// So many calls lie between two that fail, less one: 1 fails them in a row.
    pub(super) step: usize,
    pub(super) failure: Failure,
}

impl Fault {
    /// The call of this number fails, and no other.
    pub(super) fn once(first: usize, failure: Failure) -> Self {
        Self { first, count: 1, step: 1, failure }
    }

    fn hits(self, number: usize) -> bool {
        let behind = number.wrapping_sub(self.first);
        number >= self.first && behind.is_multiple_of(self.step) && behind / self.step < self.count
    }
}

/// One handle to a disk. Each has locks of its own.
#[derive(Debug)]
pub(super) struct SimDisk {
    shared: Arc<Mutex<Shared>>,
    handle: usize,
}

#[derive(Debug, Default)]
struct Shared {
    disk: DiskState,
    /// Its states just before each call, if they are asked for.
    states: Option<Vec<DiskState>>,
    /// What was durable of the bytes that were cut off.
    cut_off: Vec<u8>,
    /// How many writes, resizes and syncs there were.
    calls: usize,
    /// Behind this many calls the power is gone and every call fails.
    power: Option<usize>,
    fault: Option<Fault>,
    /// What the calls that failed would have done.
    failed: Vec<Failed>,
    /// How many reads there were.
    reads: usize,
    /// The first read that fails, and how many do.
    read_fault: Option<(usize, usize)>,
    /// Handles whose process is gone.
    gone: BTreeSet<usize>,
    locks: Vec<Lock>,
    no_locks: bool,
    handles: usize,
    failed_syncs: u64,
}

/// A call that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failed {
    Write(u64, Vec<u8>),
    SetLen,
    Sync,
    Read,
}

#[derive(Clone, Copy, Debug)]
struct Lock {
    handle: usize,
    range: LockRange,
    exclusive: bool,
}

impl Shared {
    fn fail_sync(&mut self) {
        let mut random = Random::new(self.calls as u64);
        self.disk.fail_sync(&mut random);
        self.failed.push(Failed::Sync);
        self.failed_syncs += 1;
    }
}

impl SimDisk {
    /// The first handle to a disk with this on it, all of it durable.
    pub(super) fn new(content: Vec<u8>) -> Self {
        Self::of(DiskState::synced(content))
    }

    /// The first handle to a disk in this state, as a process finds it after another was killed.
    pub(super) fn of(state: DiskState) -> Self {
        let shared = Shared { disk: state, ..Shared::default() };
        Self { shared: Arc::new(Mutex::new(shared)), handle: 0 }
    }

    /// The state of the disk now.
    pub(super) fn state(&self) -> DiskState {
        self.shared().disk.clone()
    }

    /// Another handle to the disk.
    pub(super) fn handle(&self) -> Self {
        let mut shared = self.shared();
        shared.handles += 1;
        Self { shared: Arc::clone(&self.shared), handle: shared.handles }
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap()
    }

    /// The number of this handle, for [`kill`](Self::kill).
    pub(super) fn number(&self) -> usize {
        self.handle
    }

    /// The process with this handle is gone, and its locks with it. A store on the handle can be
    /// dropped then: it writes nothing any more.
    pub(super) fn kill(&self, handle: usize) {
        let mut shared = self.shared();
        shared.gone.insert(handle);
        shared.locks.retain(|lock| lock.handle != handle);
    }

    /// Every process that uses the disk is gone, and its locks with it.
    pub(super) fn kill_all(&self) {
        let mut shared = self.shared();
        shared.gone = (0..=shared.handles).collect();
        shared.locks.clear();
    }

    /// How many writes, resizes and syncs there were.
    pub(super) fn calls(&self) -> usize {
        self.shared().calls
    }

    /// How many reads there were.
    pub(super) fn reads(&self) -> usize {
        self.shared().reads
    }

    /// What the calls that failed would have done.
    pub(super) fn failed(&self) -> Vec<Failed> {
        self.shared().failed.clone()
    }

    /// From the read of this number on, this many fail.
    pub(super) fn fail_reads(&self, fault: Option<(usize, usize)>) {
        self.shared().read_fault = fault;
    }

    /// Whether shared locks fail from now on.
    pub(super) fn fail_locks(&self, fail: bool) {
        self.shared().no_locks = fail;
    }

    /// Does something for the test: no call of it counts or fails.
    pub(super) fn aside<T>(&self, work: impl FnOnce() -> T) -> T {
        let before = {
            let mut shared = self.shared();
            let fault = (shared.fault.take(), shared.read_fault.take());
            (shared.calls, shared.reads, fault)
        };
        let done = work();
        let mut shared = self.shared();
        let fault;
        (shared.calls, shared.reads, fault) = before;
        (shared.fault, shared.read_fault) = fault;
        done
    }

    /// From now on the power goes after this many calls.
    pub(super) fn cut_after(&self, calls: usize) {
        let mut shared = self.shared();
        shared.power = Some(shared.calls + calls);
    }

    pub(super) fn fail(&self, fault: Option<Fault>) {
        self.shared().fault = fault;
    }

    /// From now on the states before each write, resize and sync are kept.
    pub(super) fn keep_states(&self) {
        self.shared().states = Some(Vec::new());
    }

    /// The states that were kept since the last such question.
    pub(super) fn take_states(&self) -> Vec<DiskState> {
        self.shared().states.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// What every handle reads: a process was killed, and nothing is lost.
    pub(super) fn killed(&self) -> Vec<u8> {
        self.shared().disk.cache.clone()
    }

    /// What the disk has where the file was cut off since the last such question.
    pub(super) fn cut_off(&self) -> Vec<u8> {
        std::mem::take(&mut self.shared().cut_off)
    }

    /// Puts this content in the place of what every handle reads, all of it durable.
    pub(super) fn replace(&self, content: Vec<u8>) {
        self.shared().disk = DiskState::synced(content);
    }

    /// What no power cut can take.
    pub(super) fn durable(&self) -> Vec<u8> {
        self.shared().disk.durable.clone()
    }

    /// See [`DiskState::after_power_cut`].
    pub(super) fn power_cut(&self, seed: u64, unit: usize) -> Vec<u8> {
        self.shared().disk.after_power_cut(seed, unit)
    }

    /// The power goes and comes back: [`power_cut`](Self::power_cut) is all that there is now, and
    /// every process is gone.
    pub(super) fn lose_power(&self, seed: u64, unit: usize) {
        let image = self.power_cut(seed, unit);
        self.kill_all();
        self.replace(image);
        self.shared().power = None;
    }

    /// The same for anything but a write.
    fn call_but_write(&self, shared: &mut Shared, grows: bool) -> io::Result<Option<Failure>> {
        Ok(self.call(shared, grows)?.filter(|failure| *failure != Failure::Elsewhere))
    }

    /// Counts a call; says how it fails, if it does.
    fn call(&self, shared: &mut Shared, grows: bool) -> io::Result<Option<Failure>> {
        if shared.gone.contains(&self.handle) {
            return Err(io::Error::other("the process is gone"));
        }
        let number = shared.calls;
        if shared.power.is_some_and(|power| number >= power) {
            return Err(io::Error::other("the power is gone"));
        }
        shared.calls += 1;
        if let Some(states) = &mut shared.states {
            states.push(shared.disk.clone());
        }
        let fits = |fault: &Fault| fault.failure != Failure::NoSpace || grows;
        let fault = shared.fault.filter(|fault| fault.hits(number) && fits(fault));
        Ok(fault.map(|fault| fault.failure))
    }
}

fn failed(failure: Failure) -> io::Error {
    match failure {
        Failure::NoSpace => io::ErrorKind::StorageFull.into(),
        _ => io::Error::other("the disk failed on purpose"),
    }
}

impl Disk for SimDisk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.shared().disk.cache.len() as u64)
    }

    fn read(&self, at: u64, out: &mut [u8]) -> io::Result<()> {
        let mut shared = self.shared();
        let number = shared.reads;
        shared.reads += 1;
        if shared.read_fault.is_some_and(|(first, count)| (first..first + count).contains(&number))
        {
            shared.failed.push(Failed::Read);
            return Err(failed(Failure::Eio));
        }
        let there = shared.disk.cache.get(at as usize..at as usize + out.len());
        out.copy_from_slice(there.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write(&self, at: u64, data: &[u8]) -> io::Result<()> {
        let mut shared = self.shared();
        let grows = at as usize + data.len() > shared.disk.cache.len();
        let failure = self.call(&mut shared, grows)?;
        if failure == Some(Failure::Elsewhere) {
            shared.disk.write(at, data);
            shared.fail_sync();
            return Ok(());
        }
        if failure.is_some() {
            shared.failed.push(Failed::Write(at, data.to_vec()));
        }
        let written = match failure {
            None => data,
            // Of a sector so little that its checksum is of no use.
            Some(Failure::Short) if data.len() <= SECTOR => &data[..data.len() / 16],
            Some(Failure::Short) => &data[..data.len() / 2],
            Some(failure) => return Err(failed(failure)),
        };
        shared.disk.write(at, written);
        failure.map_or(Ok(()), |failure| Err(failed(failure)))
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut shared = self.shared();
        let grows = len as usize > shared.disk.cache.len();
        if let Some(failure) = self.call_but_write(&mut shared, grows)? {
            shared.failed.push(Failed::SetLen);
            return Err(failed(failure));
        }
        let behind = shared.disk.durable.get(len as usize..).unwrap_or_default().to_vec();
        shared.cut_off.extend(behind);
        shared.disk.set_len(len);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut shared = self.shared();
        if let Some(failure) = self.call_but_write(&mut shared, false)? {
            shared.fail_sync();
            return Err(failed(failure));
        }
        shared.disk.sync();
        Ok(())
    }

    fn failed_syncs(&self) -> u64 {
        self.shared().failed_syncs
    }

    fn try_lock_exclusive(&self, range: LockRange) -> io::Result<bool> {
        self.lock(range, true)
    }

    fn try_lock_shared(&self, range: LockRange) -> io::Result<bool> {
        if self.shared().no_locks {
            return Err(failed(Failure::Eio));
        }
        self.lock(range, false)
    }

    fn unlock(&self, range: LockRange) -> io::Result<()> {
        let handle = self.handle;
        self.shared().locks.retain(|lock| lock.handle != handle || lock.range != range);
        Ok(())
    }

    fn is_locked(&self, range: LockRange) -> io::Result<bool> {
        let shared = self.shared();
        let others = shared.locks.iter().filter(|lock| lock.handle != self.handle);
        Ok(others.into_iter().any(|lock| overlap(lock.range, range)))
    }
}

impl SimDisk {
    fn lock(&self, range: LockRange, exclusive: bool) -> io::Result<bool> {
        let mut shared = self.shared();
        let conflict = shared.locks.iter().any(|lock| {
            lock.handle != self.handle
                && (lock.exclusive || exclusive)
                && overlap(lock.range, range)
        });
        if !conflict {
            shared.locks.push(Lock { handle: self.handle, range, exclusive });
        }
        Ok(!conflict)
    }
}

fn overlap((one, one_len): LockRange, (other, other_len): LockRange) -> bool {
    one < other + other_len && other < one + one_len
}

impl Drop for SimDisk {
    fn drop(&mut self) {
        let handle = self.handle;
        if let Ok(mut shared) = self.shared.lock() {
            shared.locks.retain(|lock| lock.handle != handle);
        }
    }
}

/// Numbers that depend on a seed alone (xorshift64*), or on bytes that somebody has chosen.
#[derive(Clone, Debug)]
pub(super) struct Random {
    state: u64,
    /// What is left of the bytes.
    chosen: Option<Vec<u8>>,
}

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        let state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x2545_f491_4f6c_dd1d;
        let mut random = Self { state: state | 1, chosen: None };
        random.next();
        random
    }

    /// The numbers that these bytes say, from the first to the last.
    #[cfg_attr(not(feature = "convert"), allow(dead_code, reason = "fuzzing needs it"))]
    pub(super) fn chosen(bytes: &[u8]) -> Self {
        let chosen = Some(bytes.iter().rev().copied().collect());
        Self { chosen, ..Self::new(0) }
    }

    /// Whether all bytes were used.
    pub(super) fn is_spent(&self) -> bool {
        self.chosen.as_ref().is_some_and(Vec::is_empty)
    }

    pub(super) fn next(&mut self) -> u64 {
        if let Some(byte) = self.chosen.as_mut().and_then(Vec::pop) {
            self.state ^= u64::from(byte) + 1;
        }
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        match &mut self.chosen {
            Some(chosen) => {
                let mut byte = || usize::from(chosen.pop().unwrap_or_default());
                let first = byte();
                if bound > 256 { (first << 8 | byte()) % bound } else { first % bound }
            }
            None => (self.next() >> 33) as usize % bound,
        }
    }
}

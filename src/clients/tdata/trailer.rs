//! The fourth array of `key_datas`, which Telegram Desktop writes since 7.3: the folder's key once
//! more, sealed under the passcode by a function that needs memory.
//!
//! ```text
//! trailer = "KD2\0" · version u32 (2) · committed generation u32 · count u32 · wrap…
//! wrap    = kind u32 (1 Argon2id, 2 scrypt) · generation u32 · memory u32 · time u32 · lanes u32
//!           · salt array · sealed key array
//! ```
//!
//! For scrypt the three numbers are N, r and p. Only a wrap of the committed generation counts;
//! others are left over from a change of the passcode that did not finish. Layout and limits are
//! those of `storage_domain.cpp` in Telegram Desktop 7.3.

use argon2::{Algorithm, Argon2, Block, Version};
use zeroize::Zeroizing;

use super::closed::Closed;
use super::sealed::LocalKey;
use super::stream::Stream;

/// The fields of the array.
#[derive(Debug)]
pub(super) struct Trailer<'a> {
    committed: u32,
    wraps: Vec<Wrap<'a>>,
}

/// The folder's key, sealed under the passcode.
#[derive(Debug)]
struct Wrap<'a> {
    generation: u32,
    function: Function,
    salt: &'a [u8],
    sealed: &'a [u8],
}

/// What makes a key of the passcode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Function {
    /// Memory in KiB, passes, lanes.
    Argon2id { memory: u32, passes: u32, lanes: u32 },
    /// The base-2 logarithm of N; r; p.
    Scrypt { log_n: u8, r: u32, p: u32 },
    /// An unknown one.
    Unknown(u32),
}

impl<'a> Trailer<'a> {
    /// Reads the array's content.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, Closed> {
        let mut stream = Stream::new(bytes);
        if stream.array::<4>()? != MAGIC {
            return Err("its fourth array does not begin with KD2".into());
        }
        match stream.u32()? {
            VERSION => {}
            found if found > VERSION => return Err(Closed::Newer(found)),
            found => return Err(format!("its fourth array has version {found}").into()),
        }
        let (committed, count) = (stream.u32()?, stream.u32()?);
        if count > MOST_WRAPS {
            return Err(
                format!("it says {count} sealed keys, and at most {MOST_WRAPS} can be").into()
            );
        }
        let wraps = (0..count).map(|_| Wrap::read(&mut stream)).collect::<Result<_, _>>()?;
        match stream.left() {
            0 => Ok(Self { committed, wraps }),
            left => Err(format!("{left} bytes follow the sealed keys").into()),
        }
    }

    /// Whether there is a sealed key that counts.
    pub(super) fn has_committed(&self) -> bool {
        self.wraps.iter().any(|wrap| wrap.generation == self.committed)
    }

    /// Opens the committed wrap with this passcode.
    pub(super) fn open(&self, passcode: &[u8]) -> Result<LocalKey, Closed> {
        let committed = self.wraps.iter().filter(|wrap| wrap.generation == self.committed);
        let mut result = Err(Closed::AppLock);
        for wrap in committed {
            result = wrap.open(passcode);
            if result.is_ok() {
                break;
            }
        }
        result
    }
}

impl<'a> Wrap<'a> {
    fn read(stream: &mut Stream<'a>) -> Result<Self, Closed> {
        let (kind, generation) = (stream.u32()?, stream.u32()?);
        let (memory, time, lanes) = (stream.u32()?, stream.u32()?, stream.u32()?);
        let (salt, sealed) = (stream.bytes()?, stream.bytes()?);
        if salt.len() < LEAST_SALT {
            return Err(format!("the salt of a sealed key has {} bytes", salt.len()).into());
        }
        let function = Function::new(kind, memory, time, lanes)?;
        Ok(Self { generation, function, salt, sealed })
    }

    fn open(&self, passcode: &[u8]) -> Result<LocalKey, Closed> {
        let key = self.function.key(passcode, self.salt)?;
        LocalKey::unwrapped(&key, self.sealed)
    }
}

impl Function {
    /// Numbers above the limits are refused before anything is allocated by them.
    fn new(kind: u32, memory: u32, time: u32, lanes: u32) -> Result<Self, Closed> {
        if !matches!(kind, ARGON2ID | SCRYPT) {
            return Ok(Self::Unknown(kind));
        }
        let within = memory <= MOST_MEMORY && time <= MOST_TIME && lanes <= MOST_LANES;
        let refused = || {
            let text = format!("the cost of its sealed key ({memory}, {time}, {lanes}) is invalid");
            Closed::Format(text)
        };
        if !within || time == 0 || lanes == 0 {
            return Err(refused());
        }
        if kind == ARGON2ID {
            // Argon2 itself asks for eight blocks a lane.
            let enough = memory >= 8 * lanes;
            return if enough {
                Ok(Self::Argon2id { memory, passes: time, lanes })
            } else {
                Err(refused())
            };
        }
        let bytes = u64::from(memory) * u64::from(time) * SCRYPT_BLOCK;
        match u8::try_from(memory.trailing_zeros()) {
            Ok(log_n) if log_n > 0 && memory.is_power_of_two() && bytes <= MOST_SCRYPT => {
                Ok(Self::Scrypt { log_n, r: time, p: lanes })
            }
            _ => Err(refused()),
        }
    }

    /// The key that this passcode makes.
    fn key(self, passcode: &[u8], salt: &[u8]) -> Result<LocalKey, Closed> {
        let mut key = Zeroizing::new([0; LocalKey::LEN]);
        let out = key.as_mut_slice();
        let made = match self {
            Self::Argon2id { memory, passes, lanes } => {
                argon2::Params::new(memory, passes, lanes, Some(LocalKey::LEN))
                    .is_ok_and(|cost| argon2id(passcode, salt, cost, out))
            }
            Self::Scrypt { log_n, r, p } => scrypt::Params::new(log_n, r, p)
                .is_ok_and(|cost| scrypt::scrypt(passcode, salt, &cost, out).is_ok()),
            Self::Unknown(kind) => {
                return Err(
                    format!("its key is sealed in the way {kind}, which is not known").into()
                );
            }
        };
        match LocalKey::from_slice(key.as_slice()) {
            Some(key) if made => Ok(key),
            _ => Err("there is not enough memory to open its sealed key".into()),
        }
    }
}

/// Fills `out`, unless there is no memory for it.
fn argon2id(passcode: &[u8], salt: &[u8], cost: argon2::Params, out: &mut [u8]) -> bool {
    let mut memory = Zeroizing::new(Vec::new());
    if memory.try_reserve_exact(cost.block_count()).is_err() {
        return false;
    }
    memory.resize(cost.block_count(), Block::new());
    Argon2::new(Algorithm::Argon2id, Version::V0x13, cost)
        .hash_password_into_with_memory(passcode, salt, out, &mut *memory)
        .is_ok()
}

const MAGIC: &[u8; 4] = b"KD2\0";
/// The newest version that is known.
pub(super) const VERSION: u32 = 2;
const MOST_WRAPS: u32 = 2;
const LEAST_SALT: usize = 8;
const ARGON2ID: u32 = 1;
const SCRYPT: u32 = 2;
const MOST_MEMORY: u32 = 262_144;
const MOST_TIME: u32 = 64;
const MOST_LANES: u32 = 16;
/// Bytes that scrypt takes for each of N, times r.
const SCRYPT_BLOCK: u64 = 128;
/// As much memory as Argon2id may take.
const MOST_SCRYPT: u64 = 262_144 * 1024;

//! Values that were left out of an export, since the format has no place for them.

/// A value that was left out of an export, and how often.
///
/// ```
/// use tgsession::{Export, Format, Source};
///
/// let source = Source::open("tests/fixtures/telethon/plain_1.45.0.session")?;
/// let export = Export::to(Format::TelethonString);
/// let report = export.preview([source.session("plain_1.45.0")?])?;
/// let lost = report.lost.iter().find(|loss| loss.what == "entities").expect("it keeps none");
/// assert_eq!(lost.count, 119);
/// # Ok::<(), tgsession::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Loss {
    /// The field, as in a dump: `dcs`, `entities.phone`.
    pub what: &'static str,
    /// Why it could not be kept, after "because".
    pub why: &'static str,
    /// How many values were left out.
    pub count: u64,
    /// The first few ids that the values belong to.
    pub examples: Vec<i64>,
}

/// All values left out so far.
#[derive(Debug, Default)]
pub(crate) struct Losses {
    all: Vec<Loss>,
}

/// The most ids that a loss names.
const EXAMPLES: usize = 5;

/// Why most things are left out.
pub(crate) const NO_PLACE: &str = "the format has no place for it";

impl Losses {
    /// Counts a value of `whose` as left out.
    pub(crate) fn add(&mut self, what: &'static str, why: &'static str, whose: impl Into<i64>) {
        let at = self.all.iter().position(|loss| loss.what == what && loss.why == why);
        let at = at.unwrap_or_else(|| {
            self.all.push(Loss { what, why, count: 0, examples: Vec::new() });
            self.all.len() - 1
        });
        if let Some(loss) = self.all.get_mut(at) {
            loss.count += 1;
            if loss.examples.len() < EXAMPLES {
                loss.examples.push(whose.into());
            }
        }
    }

    /// One value of the account itself is left out.
    pub(crate) fn add_one(&mut self, what: &'static str, why: &'static str) {
        self.add(what, why, 0);
        if let Some(loss) = self.all.iter_mut().find(|loss| loss.what == what && loss.why == why) {
            loss.examples.clear();
        }
    }

    /// Everything, sorted by field.
    pub(crate) fn into_sorted(mut self) -> Vec<Loss> {
        self.all.sort_by_key(|loss| (loss.what, loss.why));
        self.all
    }
}

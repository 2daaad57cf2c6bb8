//! Arguments as `--name value` and `--flag`, no more.

/// The command line.
#[derive(Debug)]
pub struct Args(Vec<String>);

impl Args {
    /// The arguments of this process.
    #[must_use]
    pub fn of_process() -> Self {
        Self(std::env::args().skip(1).collect())
    }

    /// Argument number `at`, from 0.
    #[must_use]
    pub fn at(&self, at: usize) -> Option<&str> {
        self.0.get(at).map(String::as_str)
    }

    /// Whether `flag` is there.
    #[must_use]
    pub fn has(&self, flag: &str) -> bool {
        self.0.iter().any(|arg| arg == flag)
    }

    /// What follows `name`.
    #[must_use]
    pub fn after(&self, name: &str) -> Option<&str> {
        let at = self.0.iter().position(|arg| arg == name)?;
        self.at(at + 1)
    }

    /// The list that follows `name`, separated by commas.
    #[must_use]
    pub fn list(&self, name: &str) -> Option<Vec<&str>> {
        Some(self.after(name)?.split(',').collect())
    }
}

use crate::types::DcId;

/// Notes about a source: what could not be represented, one sentence each.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notes {
    said: Vec<String>,
    unsaid: u64,
    unproven: Vec<DcId>,
}

/// The most notes that are kept; further ones are counted. A hostile file can have a million bad
/// rows.
const MOST: usize = 1_000;

impl Notes {
    pub(crate) fn add(&mut self, note: String) {
        if self.said.len() < MOST {
            self.said.push(note);
        } else {
            self.unsaid += 1;
        }
    }

    /// The auth key of this DC may be wrong.
    pub(crate) fn add_unproven(&mut self, dc: DcId) {
        self.unproven.push(dc);
    }

    /// The DCs whose auth keys may be wrong.
    pub(crate) fn unproven(&self) -> &[DcId] {
        &self.unproven
    }

    /// Every sentence; the last says how many more there would have been.
    pub(crate) fn into_sentences(self) -> Vec<String> {
        let mut said = self.said;
        if self.unsaid > 0 {
            said.push(format!("and {} more of this kind", self.unsaid));
        }
        said
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_notes_is_counted_and_not_kept() {
        let mut notes = Notes::default();
        for row in 0..MOST + 5 {
            notes.add(format!("row {row}"));
        }
        let sentences = notes.into_sentences();
        assert_eq!(sentences.len(), MOST + 1);
        assert_eq!(sentences.last().map(String::as_str), Some("and 5 more of this kind"));
    }
}

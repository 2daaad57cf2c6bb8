use super::{Record, RecordError};
use crate::types::{ChannelState, PeerId, UpdateState};

impl Record for UpdateState {
    const TAG: u8 = 0x31;

    type Key = ();

    /// pts; qts; date; seq.
    type Fields<'a> = (i32, i32, i64, i32);

    fn fields(&self) -> Self::Fields<'_> {
        (self.pts, self.qts, self.date, self.seq)
    }

    fn from_fields((): (), fields: Self::Fields<'_>) -> Result<Self, RecordError> {
        let (pts, qts, date, seq) = fields;
        Ok(Self { pts, qts, date, seq })
    }
}

impl Record for ChannelState {
    const TAG: u8 = 0x32;

    type Key = PeerId;

    /// pts.
    type Fields<'a> = i32;

    fn fields(&self) -> i32 {
        self.pts
    }

    fn from_fields(id: PeerId, pts: i32) -> Result<Self, RecordError> {
        Ok(Self { id, pts })
    }
}

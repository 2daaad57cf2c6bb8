use super::{Record, RecordError};
use crate::types::{DcId, Login, SelfUser};

impl Record for Login {
    const TAG: u8 = 0x11;

    type Key = ();

    /// home DC; own user id and bot; api id; test mode; takeout id.
    type Fields<'a> =
        (Option<i32>, Option<(i64, Option<bool>)>, Option<i32>, Option<bool>, Option<i64>);

    fn fields(&self) -> Self::Fields<'_> {
        let user = self.user.map(|user| (user.id, user.bot));
        (self.home_dc.map(|dc| dc.0), user, self.api_id, self.test_mode, self.takeout_id)
    }

    fn from_fields((): (), fields: Self::Fields<'_>) -> Result<Self, RecordError> {
        let (home_dc, user, api_id, test_mode, takeout_id) = fields;
        Ok(Self {
            home_dc: home_dc.map(DcId),
            user: user.map(|(id, bot)| SelfUser { id, bot }),
            api_id,
            test_mode,
            takeout_id,
        })
    }
}

use super::DcId;

/// The login of a session: its home DC, its own user and the client's settings. `None` means "not
/// known", never a default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Login {
    /// The DC that the account lives on.
    pub home_dc: Option<DcId>,
    /// The account's own user.
    pub user: Option<SelfUser>,
    /// The `api_id` that logged in.
    pub api_id: Option<i32>,
    /// Whether this is an account of Telegram's test servers.
    pub test_mode: Option<bool>,
    /// The id of the running takeout (data export) session.
    pub takeout_id: Option<i64>,
}

/// The account's own user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SelfUser {
    /// The bare user id.
    pub id: i64,
    /// Whether it is a bot, if known.
    pub bot: Option<bool>,
}

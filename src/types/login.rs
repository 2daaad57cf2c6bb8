use super::DcId;

/// The login of a session: its home DC, its own user and the client's settings. `None` means "not
/// known", never a default.
///
/// ```
/// use tgsession::{DcId, Login, SelfUser};
///
/// let login = Login::default()
///     .with_home_dc(DcId(2))
///     .with_user(SelfUser { id: 777_000, bot: Some(false) })
///     .with_api_id(12_345);
/// assert_eq!(login.test_mode, None);
/// ```
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

impl Login {
    /// The same login with this home DC.
    #[must_use]
    pub fn with_home_dc(mut self, id: DcId) -> Self {
        self.home_dc = Some(id);
        self
    }

    /// The same login of this user.
    #[must_use]
    pub fn with_user(mut self, user: SelfUser) -> Self {
        self.user = Some(user);
        self
    }

    /// The same login with this `api_id`.
    #[must_use]
    pub fn with_api_id(mut self, api_id: i32) -> Self {
        self.api_id = Some(api_id);
        self
    }

    /// The same login, of the test servers or not.
    #[must_use]
    pub fn with_test_mode(mut self, test_mode: bool) -> Self {
        self.test_mode = Some(test_mode);
        self
    }

    /// The same login with this takeout session.
    #[must_use]
    pub fn with_takeout_id(mut self, id: i64) -> Self {
        self.takeout_id = Some(id);
        self
    }
}

/// The account's own user.
///
/// ```
/// use tgsession::{Login, MemorySession, SelfUser, Session};
///
/// let session = MemorySession::new("my_bot");
/// let user = SelfUser { id: 777_000, bot: Some(true) };
/// session.set_login(&Login::default().with_user(user))?;
/// assert_eq!(session.login()?.user, Some(user));
/// # Ok::<(), tgsession::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SelfUser {
    /// The bare user id.
    pub id: i64,
    /// Whether it is a bot, if known.
    pub bot: Option<bool>,
}

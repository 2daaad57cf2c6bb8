//! Pieces of text that several commands show.

use tgsession::{Account, AuthKey, DcId, Entity, PeerKind};

/// `1 session`, `2 sessions`, `28,672 bytes`.
pub(crate) fn count(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", thousands(number), if number == 1 { one } else { many })
}

/// The number with a comma before every three digits.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `2023-11-14 22:13:20 UTC`, or `None` for a date that no calendar needs.
pub(crate) fn utc(date: i64) -> Option<String> {
    let (days, second) = (date.div_euclid(86_400), date.rem_euclid(86_400));
    if !(-719_162..=2_932_896).contains(&days) {
        return None;
    }
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    Some(format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC"))
}

/// The Gregorian date of a day counted from 1970-01-01. Years are taken to begin in March, so
/// that the leap day is the last of its year.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

/// The key of the DC that the account lives on.
pub(crate) fn home_key(account: &Account) -> Option<&AuthKey> {
    let home = account.login.home_dc?;
    account.dcs.iter().find(|dc| dc.id == home)?.auth_key.as_ref()
}

/// The DCs that there is a key for.
pub(crate) fn dcs_with_keys(account: &Account) -> Vec<DcId> {
    account.dcs.iter().filter(|dc| dc.auth_key.is_some()).map(|dc| dc.id).collect()
}

/// `2, 4`.
pub(crate) fn dc_list(ids: &[DcId]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// The number of entities, and of each kind.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) entities: u64,
    pub(crate) users: u64,
    pub(crate) groups: u64,
    pub(crate) channels: u64,
    pub(crate) with_username: u64,
    pub(crate) with_phone: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, entity: &Entity) {
        self.entities += 1;
        match entity.id.kind() {
            PeerKind::User => self.users += 1,
            PeerKind::Group => self.groups += 1,
            PeerKind::Channel => self.channels += 1,
        }
        self.with_username += u64::from(!entity.usernames.is_empty());
        self.with_phone += u64::from(entity.phone.is_some());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        let cases = [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (1_700_000_123, "2023-11-14 22:15:23 UTC"),
            (-1, "1969-12-31 23:59:59 UTC"),
            (-62_135_596_800, "0001-01-01 00:00:00 UTC"),
            (253_402_300_799, "9999-12-31 23:59:59 UTC"),
        ];
        for (date, text) in cases {
            assert_eq!(utc(date).as_deref(), Some(text));
        }
        assert_eq!(utc(253_402_300_800), None);
        assert_eq!(utc(i64::MIN), None);
    }

    #[test]
    fn large_numbers_are_grouped_by_three() {
        let cases = [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")];
        for (number, text) in cases {
            assert_eq!(thousands(number), text);
        }
    }
}

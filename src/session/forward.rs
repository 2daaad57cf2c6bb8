//! Sessions behind pointers are sessions.

use std::sync::Arc;

use super::Session;

/// Implements [`Session`] by handing every call on to another one.
macro_rules! forward {
    ([$($generics:tt)*] $for:ty, |$me:ident| $to:expr) => {
        impl<$($generics)*> $crate::session::Session for $for {
            $crate::session::forward::calls! { |$me| $to;
                name() -> String;
                list_sessions() -> Vec<String>;
                login() -> $crate::types::Login;
                set_login(login: &$crate::types::Login) -> ();
                dc(id: $crate::types::DcId) -> Option<$crate::types::DcOption>;
                dcs() -> Vec<$crate::types::DcOption>;
                set_dc(dc: &$crate::types::DcOption) -> ();
                remove_dc(id: $crate::types::DcId) -> ();
                home_dc() -> Option<$crate::types::DcOption>;
                set_home_dc(id: $crate::types::DcId) -> ();
                auth_key() -> Option<$crate::types::AuthKey>;
                set_auth_key(id: $crate::types::DcId, key: Option<$crate::types::AuthKey>) -> ();
                update_state() -> Option<$crate::types::UpdateState>;
                set_update_state(state: Option<$crate::types::UpdateState>) -> ();
                change_update_state(change: $crate::types::UpdateChange) -> ();
                channel_state(id: $crate::types::PeerId) -> Option<$crate::types::ChannelState>;
                channel_states() -> Vec<$crate::types::ChannelState>;
                set_channel_states(states: &[$crate::types::ChannelState]) -> ();
                replace_channel_states(states: &[$crate::types::ChannelState]) -> ();
                remove_channel_state(id: $crate::types::PeerId) -> ();
                process_entities(entities: &[$crate::types::Entity]) -> usize;
                merge_entities(entities: &[$crate::types::Entity]) -> usize;
                entity(id: $crate::types::PeerId) -> Option<$crate::types::Entity>;
                entity_by_username(username: &str) -> Option<$crate::types::Entity>;
                entity_by_phone(phone: &str) -> Option<$crate::types::Entity>;
                entity_by_name(name: &str) -> Option<$crate::types::Entity>;
                entity_by_bare_id(id: i64) -> Option<$crate::types::Entity>;
                find(text: &str) -> Option<$crate::types::Entity>;
                entities(after: Option<$crate::types::PeerId>, limit: usize)
                    -> Vec<$crate::types::Entity>;
                entity_count() -> u64;
                account() -> $crate::types::Account;
                remove_entity(id: $crate::types::PeerId) -> ();
                saves_entities() -> bool;
                set_save_entities(save: bool) -> ();
                sent_file(key: $crate::types::FileKey) -> Option<$crate::types::SentFile>;
                sent_files() -> Vec<$crate::types::SentFile>;
                save_sent_file(file: &$crate::types::SentFile) -> ();
                extra(name: &str) -> Option<$crate::types::Extra>;
                extras() -> Vec<$crate::types::Extra>;
                set_extra(name: &str, value: Option<&[u8]>) -> ();
                flush() -> ();
                delete() -> ();
            }

            fn transact(
                &self,
                commit: $crate::session::Commit,
                work: &mut dyn FnMut(
                    &mut $crate::session::SessionBatch<'_>,
                ) -> $crate::error::Result<()>,
            ) -> $crate::error::Result<()> {
                let $me = self;
                $to.transact(commit, work)
            }

            fn flush_ticket(&self) -> $crate::session::Ticket {
                let $me = self;
                $to.flush_ticket()
            }
        }
    };
}

macro_rules! calls {
    (|$me:ident| $to:expr;
        $($call:ident($($arg:ident: $type:ty),*) -> $out:ty;)*) => {
        $(fn $call(&self, $($arg: $type),*) -> $crate::error::Result<$out> {
            let $me = self;
            $to.$call($($arg),*)
        })*
    };
}

pub(super) use {calls, forward};

forward!([T: Session + ?Sized] &T, |session| (**session));
forward!([T: Session + ?Sized] Box<T>, |session| (**session));
forward!([T: Session + ?Sized] Arc<T>, |session| (**session));

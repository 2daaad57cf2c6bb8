//! Logins, DCs, keys and update states.

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use tgsession::{
    ChannelState, DcId, Login, SelfUser, Session, SessionBatch, UpdateChange, UpdateState,
};

use crate::session::NativeSession;
use crate::values::{DcRow, EndpointRow, LoginRow, auth_key, dc_at, dc_row, login_row, peer};

/// Pts, qts, date, seq.
type StateRow = (i32, i32, i64, i32);

fn state_row(state: UpdateState) -> StateRow {
    (state.pts, state.qts, state.date, state.seq)
}

impl NativeSession {
    fn change_login(&self, py: Python<'_>, change: impl FnOnce(&mut Login) + Send) -> PyResult<()> {
        self.work(py, |session| {
            session.update(|batch| {
                let old = batch.login()?;
                let mut new = old.clone();
                change(&mut new);
                // A login is synced to the disk, so one that is the same is not written again.
                if new == old { Ok(()) } else { batch.set_login(&new) }
            })
        })
    }
}

#[pymethods]
impl NativeSession {
    fn login(&self) -> PyResult<LoginRow> {
        self.look_up(|session| session.login()).map(|login| login_row(&login))
    }

    fn set_user(&self, py: Python<'_>, user: Option<(i64, Option<bool>)>) -> PyResult<()> {
        self.change_login(py, |login| login.user = user.map(|(id, bot)| SelfUser { id, bot }))
    }

    fn set_api_id(&self, py: Python<'_>, api_id: Option<i32>) -> PyResult<()> {
        self.change_login(py, |login| login.api_id = api_id)
    }

    fn set_test_mode(&self, py: Python<'_>, test_mode: Option<bool>) -> PyResult<()> {
        self.change_login(py, |login| login.test_mode = test_mode)
    }

    fn set_takeout_id(&self, py: Python<'_>, takeout_id: Option<i64>) -> PyResult<()> {
        self.change_login(py, |login| login.takeout_id = takeout_id)
    }

    fn dcs<'py>(&self, py: Python<'py>) -> PyResult<Vec<DcRow<'py>>> {
        let dcs = self.look_up(|session| session.dcs())?;
        Ok(dcs.into_iter().map(|dc| dc_row(py, dc)).collect())
    }

    fn dc<'py>(&self, py: Python<'py>, id: i32) -> PyResult<Option<DcRow<'py>>> {
        Ok(self.look_up(|session| session.dc(DcId(id)))?.map(|dc| dc_row(py, dc)))
    }

    /// Makes a DC at this endpoint the home of the account, all at once, and gives the key that is
    /// known of it.
    fn move_to_dc<'py>(
        &self,
        py: Python<'py>,
        id: i32,
        endpoint: EndpointRow,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let id = DcId(id);
        let key = self.work(py, |session| {
            session.update(|batch| {
                let old = batch.dc(id)?;
                let key = old.as_ref().and_then(|dc| dc.auth_key.clone());
                let new = dc_at(id, endpoint, key.clone());
                if old.as_ref() != Some(&new) {
                    batch.set_dc(&new)?;
                }
                if batch.login()?.home_dc != Some(id) {
                    batch.set_home_dc(id)?;
                }
                Ok(key)
            })
        })?;
        Ok(key.map(|key| PyBytes::new(py, key.as_bytes())))
    }

    /// Saves the key of a DC, or removes it.
    fn set_auth_key(&self, py: Python<'_>, id: i32, key: Option<&[u8]>) -> PyResult<()> {
        let (id, key) = (DcId(id), key.map(auth_key).transpose()?);
        self.work(py, |session| {
            session.update(|batch| {
                // A key is synced to the disk, so one that is the same is not written again.
                if batch.dc(id)?.and_then(|dc| dc.auth_key) == key {
                    return Ok(());
                }
                batch.set_auth_key(id, key)
            })
        })
    }

    fn update_state(&self) -> PyResult<Option<StateRow>> {
        Ok(self.look_up(|session| session.update_state())?.map(state_row))
    }

    fn set_update_state(&self, py: Python<'_>, state: Option<StateRow>) -> PyResult<()> {
        let state = state.map(|(pts, qts, date, seq)| UpdateState { pts, qts, date, seq });
        self.work(py, |session| session.set_update_state(state))
    }

    /// Changes what is given of the account's state; the rest stays, and is 0 before the first.
    fn change_update_state(
        &self,
        py: Python<'_>,
        pts: Option<i32>,
        qts: Option<i32>,
        date: Option<i64>,
        seq: Option<i32>,
    ) -> PyResult<()> {
        let change = UpdateChange { pts, qts, date, seq };
        self.work(py, |session| session.change_update_state(change))
    }

    fn channel_state(&self, id: i64) -> PyResult<Option<i32>> {
        let id = peer(id)?;
        Ok(self.look_up(|session| session.channel_state(id))?.map(|state| state.pts))
    }

    fn channel_states(&self) -> PyResult<Vec<(i64, i32)>> {
        let states = self.look_up(|session| session.channel_states())?;
        Ok(states.into_iter().map(|state| (state.id.marked(), state.pts)).collect())
    }

    fn set_channel_states(&self, py: Python<'_>, states: Vec<(i64, i32)>) -> PyResult<()> {
        let states = states
            .into_iter()
            .map(|(id, pts)| Ok(ChannelState { id: peer(id)?, pts }))
            .collect::<PyResult<Vec<_>>>()?;
        self.work(py, |session| session.set_channel_states(&states))
    }

    fn remove_channel_states(&self, py: Python<'_>, ids: Vec<i64>) -> PyResult<()> {
        let ids = ids.into_iter().map(peer).collect::<PyResult<Vec<_>>>()?;
        let remove = |batch: &mut SessionBatch<'_>| {
            ids.iter().try_for_each(|id| batch.remove_channel_state(*id))
        };
        self.work(py, |session| session.update(remove))
    }
}

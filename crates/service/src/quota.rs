//! Quotas as callers see them: limits, use, defaults, classes.

use strongroom_model::id::ProjectId;
use strongroom_model::quota::{Quota, Resource};

use crate::{Caller, Service, error::Result};

impl Service {
    /// The quotas of a project with what is in use, in the order of [`Resource::ALL`].
    /// Another project's are for admins.
    pub async fn quotas(&self, caller: &Caller, project: &ProjectId) -> Result<Vec<Quota>> {
        unimplemented!("{caller:?} {project}")
    }

    /// The limits of a project that has none of its own (class `default`); `in_use` is zero.
    pub async fn default_quotas(&self, caller: &Caller) -> Result<Vec<Quota>> {
        unimplemented!("{caller:?}")
    }

    /// Sets limits of a project (admin). Below what is in use is refused.
    pub async fn set_quotas(
        &self,
        caller: &Caller,
        project: &ProjectId,
        limits: &[(Resource, i64)],
    ) -> Result<Vec<Quota>> {
        unimplemented!("{caller:?} {project} {limits:?}")
    }

    /// Gives a project the default limits again (admin).
    pub async fn clear_quotas(&self, caller: &Caller, project: &ProjectId) -> Result<()> {
        unimplemented!("{caller:?} {project}")
    }

    /// The limits of a quota class; only `default` has an effect.
    pub async fn quota_class(&self, caller: &Caller, class: &str) -> Result<Vec<Quota>> {
        unimplemented!("{caller:?} {class}")
    }

    /// Sets limits of a quota class (admin).
    pub async fn set_quota_class(
        &self,
        caller: &Caller,
        class: &str,
        limits: &[(Resource, i64)],
    ) -> Result<Vec<Quota>> {
        unimplemented!("{caller:?} {class} {limits:?}")
    }
}

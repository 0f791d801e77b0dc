//! Finding the vault that a caller named.

use strongroom_catalog::Transaction;
use strongroom_model::id::{ProjectId, VaultId};
use strongroom_model::vault::Vault;

use crate::Service;
use crate::error::{Error, Result};

impl Service {
    /// A vault of a project. `id` is text as it came; what is no UUID is not found.
    pub(crate) async fn find_vault(
        &self,
        tx: &mut Transaction<'_>,
        project: &ProjectId,
        id: &str,
    ) -> Result<Vault> {
        let missing = || Error::VaultNotFound(id.to_owned());
        let parsed = VaultId::parse(id).map_err(|_| missing())?;
        tx.vaults().find(project, parsed).await?.ok_or_else(missing)
    }
}

//! Making, showing and changing vaults.

use strongroom_catalog::Transaction;
use strongroom_model::id::{ProjectId, VaultId};
use strongroom_model::identity::Role;
use strongroom_model::size::GiB;
use strongroom_model::vault::{
    ChargingMode, ConsistentLevel, ObjectType, VAULT_SIZE_MAX, Vault, VaultStatus, VaultTerms,
};

use super::{NewVault, SIZE_MIN, VaultChange, VaultView, vault_used_bytes};
use crate::error::{Error, Result};
use crate::tag::TaggedId;
use crate::{Caller, Refusal, Service};

impl Service {
    /// Makes a vault with what it protects, its policy and its tags: all or nothing.
    pub async fn create_vault(&self, caller: &Caller, new: NewVault) -> Result<VaultView> {
        let project = caller.project(Role::Member, "vault:create")?;
        check_size(new.size, SIZE_MIN)?;
        check_terms(&new.terms)?;
        let vault = &Vault {
            id: VaultId::random(self.chance()),
            project_id: project.clone(),
            user_id: Some(caller.user_id.clone()),
            name: new.name.clone(),
            description: new.description.clone(),
            is_default: false,
            size: new.size,
            status: VaultStatus::Available,
            is_locked: new.is_locked,
            terms: new.terms.clone(),
            created_at: self.now(),
        };
        let new = &new;
        self.catalog()
            .transact(|tx| {
                Box::pin(async move { self.insert_vault(tx, project, vault, new).await })
            })
            .await?;
        self.0.alarm.notify_one();
        self.vault_view(project, vault.id).await
    }

    async fn insert_vault(
        &self,
        tx: &mut Transaction<'_>,
        project: &ProjectId,
        vault: &Vault,
        new: &NewVault,
    ) -> Result<()> {
        let max = self.settings().vaults_max;
        if tx.vaults().count(project).await? >= u64::from(max) {
            let message = format!("{max} vaults are all that a project may have");
            return Err(Refusal::TooManyVaults.because(message));
        }
        tx.vaults().insert(vault).await?;
        self.bind_resources(tx, vault, &new.resources).await?;
        if let Some(policy_id) = &new.policy_id {
            self.bind_vault_policy(tx, vault, policy_id, None).await?;
        }
        self.put_tags(tx, project, &TaggedId::of_vault(vault.id), &new.tags).await
    }

    /// One vault of the caller's project. `id` is text as it came; what is no UUID is not found.
    pub async fn vault(&self, caller: &Caller, id: &str) -> Result<VaultView> {
        let project = caller.project(Role::Reader, "vault:get")?;
        let parsed = VaultId::parse(id).map_err(|_| Error::VaultNotFound(id.to_owned()))?;
        self.vault_view(project, parsed).await
    }

    /// Changes what a user may change. A lock stays for ever.
    pub async fn update_vault(
        &self,
        caller: &Caller,
        id: &str,
        change: VaultChange,
    ) -> Result<VaultView> {
        let project = caller.project(Role::Member, "vault:update")?;
        let change = &change;
        let id = self
            .catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let mut vault = self.find_vault(tx, project, id).await?;
                    apply(change, &mut vault)?;
                    if let Some(size) = change.size {
                        self.resize(tx, &mut vault, size).await?;
                    }
                    self.write_vault(tx, &vault).await?;
                    Ok::<_, Error>(vault.id)
                })
            })
            .await?;
        self.vault_view(project, id).await
    }

    /// Sets when warnings are given, for every vault of the project that can be changed; returns
    /// which those are.
    pub async fn update_vaults(
        &self,
        caller: &Caller,
        change: VaultChange,
    ) -> Result<Vec<VaultId>> {
        let project = caller.project(Role::Member, "vault:update")?;
        let change = &VaultChange {
            is_notifying: change.is_notifying,
            threshold: change.threshold,
            ..VaultChange::default()
        };
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let mut changed = Vec::new();
                    for mut vault in tx.vaults().list(project).await? {
                        if check_changeable(&vault).is_ok() {
                            apply(change, &mut vault)?;
                            self.write_vault(tx, &vault).await?;
                            changed.push(vault.id);
                        }
                    }
                    Ok(changed)
                })
            })
            .await
    }

    /// Sets the size of a vault, which nothing that it keeps may exceed.
    pub(super) async fn resize(
        &self,
        tx: &mut Transaction<'_>,
        vault: &mut Vault,
        size: GiB,
    ) -> Result<()> {
        match vault.status {
            VaultStatus::Available => {}
            VaultStatus::Lock => {
                return Err(Refusal::VaultExpanding.because("the vault's size is being changed"));
            }
            VaultStatus::Error => {
                let message = "the size of a vault in error cannot be changed";
                return Err(Refusal::VaultState.because(message));
            }
            VaultStatus::Frozen | VaultStatus::Deleting => check_changeable(vault)?,
        }
        check_size(size, GiB(1))?;
        let used = vault_used_bytes(tx, vault.id).await?;
        if size.bytes() < used {
            let message =
                format!("{} GiB of the vault are used, more than {}", GiB::holding(used).0, size.0);
            return Err(Refusal::VaultSize.because(message));
        }
        vault.size = size;
        Ok(())
    }

    /// Writes a changed vault, and keeps its warning true.
    pub(super) async fn write_vault(&self, tx: &mut Transaction<'_>, vault: &Vault) -> Result<()> {
        tx.vaults().update(vault).await?;
        if vault.size < VAULT_SIZE_MAX {
            let used = vault_used_bytes(tx, vault.id).await?;
            self.note_filling(tx, vault, used).await?;
        } else {
            tx.vaults().unwarn(vault.id).await?;
        }
        Ok(())
    }
}

/// Refuses a size that no vault has.
fn check_size(size: GiB, least: GiB) -> Result<()> {
    if (least..=VAULT_SIZE_MAX).contains(&size) {
        return Ok(());
    }
    let message = format!("a vault has {} to {} GiB", least.0, VAULT_SIZE_MAX.0);
    Err(Refusal::VaultSize.because(message))
}

/// Refuses terms that contradict each other.
fn check_terms(terms: &VaultTerms) -> Result<()> {
    let fault = |field, message: &str| Err(Error::Invalid { field, message: message.to_owned() });
    let is_prepaid = terms.charging_mode == ChargingMode::PrePaid;
    if terms.consistent_level == ConsistentLevel::Application
        && terms.object_type != ObjectType::Server
    {
        return fault("consistent_level", "only vaults of servers are consistent by application");
    }
    if terms.auto_expand && is_prepaid {
        return fault("auto_expand", "a vault that is paid for in advance does not grow by itself");
    }
    if terms.demand_billing && !is_prepaid {
        return fault("demand_billing", "only a vault that is paid for in advance has this");
    }
    Ok(())
}

/// Refuses changes of a vault that is suspended or going.
fn check_changeable(vault: &Vault) -> Result<()> {
    match vault.status {
        VaultStatus::Available | VaultStatus::Lock | VaultStatus::Error => Ok(()),
        VaultStatus::Frozen | VaultStatus::Deleting => {
            let message = format!("a vault that is {} cannot be changed", vault.status.as_str());
            Err(Refusal::VaultNotUpdatable.because(message))
        }
    }
}

/// Everything but the size, which takes a look at what is used.
fn apply(change: &VaultChange, vault: &mut Vault) -> Result<()> {
    check_changeable(vault)?;
    if vault.is_locked && change.is_locked == Some(false) {
        return Err(Refusal::VaultNotUpdatable.because("a lock cannot be taken back"));
    }
    set(&mut vault.is_locked, change.is_locked.as_ref());
    set(&mut vault.name, change.name.as_ref());
    if let Some(text) = &change.description {
        vault.description = Some(text.clone());
    }
    let terms = &mut vault.terms;
    set(&mut terms.consistent_level, change.consistent_level.as_ref());
    set(&mut terms.auto_bind, change.auto_bind.as_ref());
    set(&mut terms.bind_tags, change.bind_tags.as_ref());
    set(&mut terms.auto_expand, change.auto_expand.as_ref());
    set(&mut terms.is_notifying, change.is_notifying.as_ref());
    set(&mut terms.threshold, change.threshold.as_ref());
    set(&mut terms.backup_name_prefix, change.backup_name_prefix.as_ref());
    check_terms(terms)
}

fn set<T: Clone>(field: &mut T, change: Option<&T>) {
    if let Some(value) = change {
        field.clone_from(value);
    }
}

//! Users and the roles that they hold.

use strongroom_catalog::Transaction;
use strongroom_model::id::UserId;
use strongroom_model::identity::{Assignment, Scope, User};

use super::admin::{missing, project_by_id};
use super::{IdentityChange, NameOrId, NewUser};
use crate::error::{Error, Result};
use crate::secret::hash_password;
use crate::{Caller, Service};

impl Service {
    /// All users (admin).
    pub async fn users(&self, caller: &Caller) -> Result<Vec<User>> {
        caller.require_cloud_admin("identity:list_users")?;
        self.catalog().read(|tx| Box::pin(async move { Ok(tx.users().list().await?) })).await
    }

    /// The users of a name: all for an admin, else the caller itself or nobody.
    pub async fn users_named(&self, caller: &Caller, name: &str) -> Result<Vec<User>> {
        let mut users = self
            .catalog()
            .read(|tx| Box::pin(async move { Ok::<_, Error>(tx.users().list().await?) }))
            .await?;
        users.retain(|user| user.name == name);
        users.retain(|user| caller.is_cloud_admin || caller.user_id == user.id);
        Ok(users)
    }

    /// One user: any for an admin, else the caller itself.
    pub async fn user(&self, caller: &Caller, id: &str) -> Result<User> {
        let user =
            self.catalog().read(|tx| Box::pin(async move { user_by_id(tx, id).await })).await?;
        let may = caller.is_cloud_admin || caller.user_id == user.id;
        if may { Ok(user) } else { Err(missing("user", id)) }
    }

    /// Makes a user (admin).
    pub async fn create_user(&self, caller: &Caller, new: NewUser) -> Result<User> {
        caller.require_cloud_admin("identity:create_user")?;
        let now = self.now();
        let user = User {
            id: UserId::random(self.chance()),
            domain_id: self.domain_or_own(caller, new.domain_id).await?,
            name: new.name,
            password_hash: self.hash(new.password).await?,
            default_project_id: new.default_project_id,
            is_enabled: new.is_enabled,
            created_at: now,
            tokens_valid_from: now,
        };
        let new = &user;
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    refuse_same_user(tx, new, &new.name).await?;
                    Ok::<_, Error>(tx.users().insert(new).await?)
                })
            })
            .await?;
        Ok(user)
    }

    /// Changes a user (admin). A new password, or being disabled, ends the user's tokens.
    pub async fn update_user(
        &self,
        caller: &Caller,
        id: &str,
        change: IdentityChange,
    ) -> Result<User> {
        caller.require_cloud_admin("identity:update_user")?;
        let hash = match change.password.clone() {
            Some(password) => Some(self.hash(password).await?),
            None => None,
        };
        let (change, hash) = (&change, &hash);
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let mut user = user_by_id(tx, id).await?;
                    if let Some(name) = change.name.as_ref().filter(|name| **name != user.name) {
                        refuse_same_user(tx, &user, name).await?;
                        user.name.clone_from(name);
                    }
                    user.is_enabled = change.is_enabled.unwrap_or(user.is_enabled);
                    if let Some(project) = &change.default_project_id {
                        user.default_project_id.clone_from(project);
                    }
                    if let Some(hash) = hash {
                        self.set_password(&mut user, hash);
                    }
                    tx.users().update(&user).await?;
                    Ok(user)
                })
            })
            .await
    }

    /// Lets a user change its own password by proving the present one.
    pub async fn change_password(
        &self,
        caller: &Caller,
        id: &str,
        original: &str,
        new: String,
    ) -> Result<()> {
        if caller.user_id.as_str() != id {
            return Err(missing("user", id));
        }
        self.user_by_password(&NameOrId::Id(id.to_owned()), original.to_owned()).await?;
        let hash = self.hash(new).await?;
        let hash = &hash;
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let mut user = user_by_id(tx, id).await?;
                    self.set_password(&mut user, hash);
                    tx.users().update(&user).await?;
                    Ok(())
                })
            })
            .await
    }

    /// Removes a user (admin).
    pub async fn delete_user(&self, caller: &Caller, id: &str) -> Result<()> {
        caller.require_cloud_admin("identity:delete_user")?;
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let user = user_by_id(tx, id).await?;
                    tx.users().delete(&user.id).await?;
                    Ok(())
                })
            })
            .await
    }

    /// Gives a role (admin); giving it twice is the same as once.
    pub async fn grant(&self, caller: &Caller, assignment: Assignment) -> Result<()> {
        caller.require_cloud_admin("identity:create_grant")?;
        let assignment = &assignment;
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    check_assignment(tx, assignment).await?;
                    Ok(tx.assignments().grant(assignment).await?)
                })
            })
            .await
    }

    /// Takes a role away (admin).
    pub async fn revoke(&self, caller: &Caller, assignment: Assignment) -> Result<()> {
        caller.require_cloud_admin("identity:revoke_grant")?;
        let assignment = &assignment;
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    check_assignment(tx, assignment).await?;
                    let held =
                        tx.assignments().roles(&assignment.user_id, &assignment.scope).await?;
                    if !held.contains(&assignment.role) {
                        return Err(missing("assignment", assignment.role.name()));
                    }
                    tx.assignments().revoke(assignment).await?;
                    Ok(())
                })
            })
            .await
    }

    /// All assignments (admin).
    pub async fn assignments(&self, caller: &Caller) -> Result<Vec<Assignment>> {
        caller.require_cloud_admin("identity:list_role_assignments")?;
        self.catalog()
            .read(|tx| {
                Box::pin(async move {
                    let mut all = Vec::new();
                    for user in tx.users().list().await? {
                        all.extend(tx.assignments().list_for_user(&user.id).await?);
                    }
                    Ok(all)
                })
            })
            .await
    }

    async fn hash(&self, password: String) -> Result<String> {
        let this = self.clone();
        tokio::task::spawn_blocking(move || hash_password(&password, this.chance()))
            .await
            .map_err(Error::internal)?
    }

    fn set_password(&self, user: &mut User, hash: &str) {
        hash.clone_into(&mut user.password_hash);
        user.tokens_valid_from = self.now();
    }
}

pub(super) async fn user_by_id(tx: &mut Transaction<'_>, id: &str) -> Result<User> {
    let parsed = UserId::parse(id).map_err(|_| missing("user", id))?;
    tx.users().find(&parsed).await?.ok_or_else(|| missing("user", id))
}

async fn refuse_same_user(tx: &mut Transaction<'_>, user: &User, name: &str) -> Result<()> {
    match tx.users().find_by_name(&user.domain_id, name).await? {
        Some(_) => Err(Error::IdentityExists { what: "user", name: name.to_owned() }),
        None => Ok(()),
    }
}

/// Both ends of an assignment must exist.
async fn check_assignment(tx: &mut Transaction<'_>, assignment: &Assignment) -> Result<()> {
    user_by_id(tx, assignment.user_id.as_str()).await?;
    match &assignment.scope {
        Scope::Project(id) => project_by_id(tx, id.as_str()).await.map(drop),
        Scope::Domain(id) => match tx.domains().find(id).await? {
            Some(_) => Ok(()),
            None => Err(missing("domain", id.as_str())),
        },
    }
}

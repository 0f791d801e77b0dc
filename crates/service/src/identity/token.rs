//! Tokens: issued for a proof, read back at every request, ended before their time.

use strongroom_catalog::Transaction;
use strongroom_model::id::{DomainId, ProjectId, UserId};
use strongroom_model::identity::{Domain, Role, Scope, User};
use strongroom_model::project::Project;
use strongroom_model::time::Timestamp;

use super::bootstrap::ADMIN_PROJECT_SETTING;
use super::signed::{Holder, find_holder, is_same};
use super::{Credentials, DomainRef, NameOrId, ScopeRequest, Token};
use crate::error::{Error, Result};
use crate::secret::{ClaimedScope, Claims, verify_password};
use crate::{Caller, CallerScope, DEFAULT_DOMAIN_ID, Service};

/// A scope that was found, with the roles held there.
pub(super) struct Granted {
    project: Option<Project>,
    domain: Option<Domain>,
    roles: Vec<Role>,
    is_cloud_admin: bool,
}

/// Who proved what, before a scope is chosen.
struct Shown {
    user: User,
    methods: Vec<String>,
    /// The access key by which it was proved.
    access_key: Option<String>,
    /// A token cannot be used to prolong itself.
    expires_at: Option<Timestamp>,
}

impl Service {
    /// Proves who somebody is and issues a token. Fails with `Unauthenticated` for every wrong
    /// user, password, scope or missing role alike.
    pub async fn issue_token(
        &self,
        credentials: Credentials,
        scope: ScopeRequest,
    ) -> Result<Token> {
        let proof = self.prove(credentials).await?;
        let now = self.now();
        let scope = match scope {
            ScopeRequest::Default => {
                proof.user.default_project_id.as_ref().map_or(ScopeRequest::Unscoped, |id| {
                    ScopeRequest::Project(NameOrId::Id(id.as_str().to_owned()))
                })
            }
            named => named,
        };
        let latest = now.plus(self.settings().token_lifetime);
        let expires_at = proof.expires_at.map_or(latest, |bound| bound.min(latest));
        let audit_id = self.chance().uuid().simple().to_string();
        let (user, scope) = (&proof.user, &scope);
        let (domain, granted) = self
            .catalog()
            .read(|tx| {
                Box::pin(async move {
                    Ok::<_, Error>((
                        enabled_domain(tx, &user.domain_id).await?,
                        grant(tx, user, scope).await?,
                    ))
                })
            })
            .await?;
        let claims = Claims {
            audit_id,
            user_id: user.id.as_str().to_owned(),
            scope: granted.claimed(),
            methods: proof.methods.clone(),
            access_key: proof.access_key.clone(),
            issued_at: now,
            expires_at,
        };
        let secret = self.token_key().sign(&claims)?;
        Ok(granted.into_token(secret, claims, proof.user, domain))
    }

    /// Reads a token back; `Unauthenticated` if it is forged, revoked, expired or its user,
    /// project or role is gone.
    pub async fn validate_token(&self, secret: &str) -> Result<Token> {
        let claims = self.token_key().read(secret).ok_or(Error::Unauthenticated)?;
        let now = self.now();
        if claims.expires_at <= now {
            return Err(Error::Unauthenticated);
        }
        let claimed = &claims;
        let (user, domain, granted) = self
            .catalog()
            .read(|tx| {
                Box::pin(async move {
                    if tx.revocations().is_revoked(&claimed.audit_id).await? {
                        return Err(Error::Unauthenticated);
                    }
                    let user = claimed_user(tx, claimed).await?;
                    if let Some(access) = &claimed.access_key {
                        permanent_holder(tx, access, now).await?;
                    }
                    let domain = enabled_domain(tx, &user.domain_id).await?;
                    let granted = grant(tx, &user, &claimed.scope.request()).await?;
                    Ok((user, domain, granted))
                })
            })
            .await?;
        Ok(granted.into_token(secret.to_owned(), claims, user, domain))
    }

    /// Ends a token before its time.
    pub async fn revoke_token(&self, secret: &str) -> Result<()> {
        let claims = self.token_key().read(secret).ok_or(Error::Unauthenticated)?;
        let claims = &claims;
        self.catalog()
            .transact(|tx| {
                Box::pin(async move {
                    tx.revocations().insert(&claims.audit_id, claims.expires_at).await?;
                    Ok(())
                })
            })
            .await
    }

    async fn prove(&self, credentials: Credentials) -> Result<Shown> {
        match credentials {
            Credentials::Token(secret) => {
                let token = self.validate_token(&secret).await?;
                let mut methods = token.methods;
                if !methods.iter().any(|method| method == "token") {
                    methods.push("token".to_owned());
                }
                Ok(Shown {
                    user: token.user,
                    methods,
                    access_key: token.access_key,
                    expires_at: Some(token.expires_at),
                })
            }
            Credentials::Password { user, password } => {
                let user = self.user_by_password(&user, password).await?;
                let methods = vec!["password".to_owned()];
                Ok(Shown { user, methods, access_key: None, expires_at: None })
            }
            Credentials::AccessKey { access, secret } => {
                let user = self.user_by_key(&access, &secret).await?;
                let methods = vec!["hw_ak_sk".to_owned()];
                Ok(Shown { user, methods, access_key: Some(access), expires_at: None })
            }
        }
    }

    /// The user of the permanent key that has these halves.
    async fn user_by_key(&self, access: &str, secret: &str) -> Result<User> {
        let now = self.now();
        let work = self
            .catalog()
            .read(|tx| Box::pin(async move { permanent_holder(tx, access, now).await }));
        let holder = work.await?;
        let kept = self.sealer().open(access, &holder.key.sealed_secret)?;
        if is_same(&kept, secret) { Ok(holder.user) } else { Err(Error::Unauthenticated) }
    }

    /// The enabled user of that name whose password is `password`. A wrong name costs as much time
    /// as a wrong password, so that names cannot be told apart by waiting.
    pub(super) async fn user_by_password(
        &self,
        named: &NameOrId,
        password: String,
    ) -> Result<User> {
        let user =
            self.catalog().read(|tx| Box::pin(async move { find_user(tx, named).await })).await?;
        let hash = user
            .as_ref()
            .map_or_else(|| self.decoy_hash().to_owned(), |user| user.password_hash.clone());
        let is_right = tokio::task::spawn_blocking(move || verify_password(&password, &hash))
            .await
            .map_err(Error::internal)?;
        user.filter(|user| is_right && user.is_enabled).ok_or(Error::Unauthenticated)
    }
}

impl Granted {
    fn claimed(&self) -> ClaimedScope {
        match (&self.project, &self.domain) {
            (Some(project), _) => ClaimedScope::Project(project.id.as_str().to_owned()),
            (None, Some(domain)) => ClaimedScope::Domain(domain.id.as_str().to_owned()),
            (None, None) => ClaimedScope::Unscoped,
        }
    }

    /// The caller that holds this.
    pub(super) fn into_caller(self, user_id: UserId, request_id: String) -> Caller {
        let scope = match (self.project, self.domain) {
            (Some(project), _) => CallerScope::Project(project.id),
            (None, Some(domain)) => CallerScope::Domain(domain.id),
            (None, None) => CallerScope::Unscoped,
        };
        let (role, is_cloud_admin) = (self.roles.first().copied(), self.is_cloud_admin);
        Caller { user_id, scope, role, is_cloud_admin, request_id }
    }

    fn into_token(self, secret: String, claims: Claims, user: User, user_domain: Domain) -> Token {
        Token {
            secret,
            audit_id: claims.audit_id,
            methods: claims.methods,
            access_key: claims.access_key,
            user,
            user_domain,
            project: self.project,
            scope_domain: self.domain,
            roles: self.roles,
            is_cloud_admin: self.is_cloud_admin,
            issued_at: claims.issued_at,
            expires_at: claims.expires_at,
        }
    }
}

impl ClaimedScope {
    fn request(&self) -> ScopeRequest {
        match self {
            Self::Unscoped => ScopeRequest::Unscoped,
            Self::Project(id) => ScopeRequest::Project(NameOrId::Id(id.clone())),
            Self::Domain(id) => ScopeRequest::Domain(DomainRef::Id(id.clone())),
        }
    }
}

async fn claimed_user(tx: &mut Transaction<'_>, claims: &Claims) -> Result<User> {
    let id = UserId::parse(&claims.user_id).map_err(|_| Error::Unauthenticated)?;
    let user = tx.users().find(&id).await?.ok_or(Error::Unauthenticated)?;
    let holds = user.is_enabled && user.tokens_valid_from <= claims.issued_at;
    if holds { Ok(user) } else { Err(Error::Unauthenticated) }
}

/// The permanent key of that public half, if it holds.
async fn permanent_holder(
    tx: &mut Transaction<'_>,
    access: &str,
    now: Timestamp,
) -> Result<Holder> {
    let holder = find_holder(tx, access, now).await?;
    if holder.key.bounds.is_none() { Ok(holder) } else { Err(Error::Unauthenticated) }
}

pub(super) async fn enabled_domain(tx: &mut Transaction<'_>, id: &DomainId) -> Result<Domain> {
    let domain = tx.domains().find(id).await?;
    domain.filter(|domain| domain.is_enabled).ok_or(Error::Unauthenticated)
}

/// The scope that was asked for, if the user holds a role there.
pub(super) async fn grant(
    tx: &mut Transaction<'_>,
    user: &User,
    request: &ScopeRequest,
) -> Result<Granted> {
    let (project, domain) = match request {
        ScopeRequest::Unscoped | ScopeRequest::Default => (None, None),
        ScopeRequest::Project(named) => {
            let project = find_project(tx, named).await?.filter(|project| project.is_enabled);
            let project = project.ok_or(Error::Unauthenticated)?;
            let domain = enabled_domain(tx, &project.domain_id).await?;
            (Some(project), Some(domain))
        }
        ScopeRequest::Domain(named) => {
            let domain = find_domain(tx, named).await?.filter(|domain| domain.is_enabled);
            (None, Some(domain.ok_or(Error::Unauthenticated)?))
        }
    };
    let scope = match (&project, &domain) {
        (Some(project), _) => Scope::Project(project.id.clone()),
        (None, Some(domain)) => Scope::Domain(domain.id.clone()),
        (None, None) => {
            return Ok(Granted { project, domain, roles: Vec::new(), is_cloud_admin: false });
        }
    };
    let held = tx.assignments().roles(&user.id, &scope).await?;
    let highest = held.into_iter().max().ok_or(Error::Unauthenticated)?;
    let reaches_far = match &project {
        Some(project) => is_admin_project(tx, project).await?,
        None => true,
    };
    Ok(Granted {
        project,
        domain,
        roles: highest.with_implied().collect(),
        is_cloud_admin: highest == Role::Admin && reaches_far,
    })
}

/// Whether the project is the one that the first start made for administration.
async fn is_admin_project(tx: &mut Transaction<'_>, project: &Project) -> Result<bool> {
    let id = tx.settings().get(ADMIN_PROJECT_SETTING).await?;
    Ok(id.as_deref() == Some(project.id.as_str()))
}

pub(super) async fn find_domain(
    tx: &mut Transaction<'_>,
    named: &DomainRef,
) -> Result<Option<Domain>> {
    Ok(match named {
        DomainRef::Id(id) => match DomainId::parse(id) {
            Ok(id) => tx.domains().find(&id).await?,
            Err(_) => None,
        },
        DomainRef::Name(name) if !is_name(name) => None,
        DomainRef::Name(name) => tx.domains().find_by_name(name).await?,
    })
}

/// Whether anything can have that name: PostgreSQL takes no text with a NUL.
fn is_name(name: &str) -> bool {
    !name.contains('\0')
}

/// The domain in which a name is to be looked up.
async fn naming_domain(
    tx: &mut Transaction<'_>,
    domain: &Option<DomainRef>,
) -> Result<Option<DomainId>> {
    let default = DomainRef::Id(DEFAULT_DOMAIN_ID.to_owned());
    let found = find_domain(tx, domain.as_ref().unwrap_or(&default)).await?;
    Ok(found.map(|domain| domain.id))
}

async fn find_project(tx: &mut Transaction<'_>, named: &NameOrId) -> Result<Option<Project>> {
    match named {
        NameOrId::Id(id) => match ProjectId::parse(id) {
            Ok(id) => Ok(tx.projects().find(&id).await?),
            Err(_) => Ok(None),
        },
        NameOrId::Name(name, _) if !is_name(name) => Ok(None),
        NameOrId::Name(name, domain) => match naming_domain(tx, domain).await? {
            Some(domain) => Ok(tx.projects().find_by_name(&domain, name).await?),
            None => Ok(None),
        },
    }
}

async fn find_user(tx: &mut Transaction<'_>, named: &NameOrId) -> Result<Option<User>> {
    match named {
        NameOrId::Id(id) => match UserId::parse(id) {
            Ok(id) => Ok(tx.users().find(&id).await?),
            Err(_) => Ok(None),
        },
        NameOrId::Name(name, _) if !is_name(name) => Ok(None),
        NameOrId::Name(name, domain) => match naming_domain(tx, domain).await? {
            Some(domain) => Ok(tx.users().find_by_name(&domain, name).await?),
            None => Ok(None),
        },
    }
}

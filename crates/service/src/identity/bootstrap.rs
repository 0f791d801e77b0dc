//! The first start: a domain, a project, an administrator, and the secret that signs tokens.

use strongroom_catalog::Transaction;
use strongroom_model::chance::Chance;
use strongroom_model::id::{DomainId, ProjectId, UserId};
use strongroom_model::identity::{Assignment, Domain, Role, Scope, User};
use strongroom_model::project::Project;
use strongroom_model::time::Timestamp;

use crate::error::{Error, Result};
use crate::secret::{generate_password, hash_password};
use crate::{DEFAULT_DOMAIN_ID, Service};

/// The setting that names the project whose admins reach across projects.
pub(super) const ADMIN_PROJECT_SETTING: &str = "admin-project";

/// The setting that holds the secret from which tokens are signed.
const TOKEN_SECRET_SETTING: &str = "token-secret";

/// Name of the first project and of its user.
const ADMIN: &str = "admin";

/// What the first start made. The password is told once and kept nowhere.
#[derive(Debug, Clone)]
pub struct Bootstrap {
    /// The project `admin`.
    pub project_id: ProjectId,
    /// The user `admin`.
    pub user_id: UserId,
    /// Its password.
    pub password: String,
}

impl Service {
    /// Makes domain `Default`, project `admin`, user `admin` and a project named after the region,
    /// which SDKs look up by that name. `None` if the domain exists already.
    pub async fn bootstrap(&self) -> Result<Option<Bootstrap>> {
        let password = generate_password(self.chance());
        let made = Bootstrap {
            project_id: ProjectId::random(self.chance()),
            user_id: UserId::random(self.chance()),
            password,
        };
        let hash = hash_password(&made.password, self.chance())?;
        let region_project = ProjectId::random(self.chance());
        let (first, hash, region_project) = (&made, &hash, &region_project);
        let is_first = self
            .catalog()
            .transact(|tx| {
                Box::pin(async move {
                    let domain_id = default_domain()?;
                    if tx.domains().find(&domain_id).await?.is_some() {
                        return Ok::<_, Error>(false);
                    }
                    let now = self.now();
                    insert_domain(tx, &domain_id).await?;
                    insert_project(tx, &first.project_id, ADMIN, now).await?;
                    insert_project(tx, region_project, &self.settings().region, now).await?;
                    let admin_project = first.project_id.as_str();
                    tx.settings().put_if_absent(ADMIN_PROJECT_SETTING, admin_project).await?;
                    insert_admin(tx, first, hash, now).await?;
                    for project in [&first.project_id, region_project] {
                        grant_admin(tx, &first.user_id, Scope::Project(project.clone())).await?;
                    }
                    grant_admin(tx, &first.user_id, Scope::Domain(domain_id)).await?;
                    Ok(true)
                })
            })
            .await?;
        Ok(is_first.then_some(made))
    }
}

fn default_domain() -> Result<DomainId> {
    DomainId::parse(DEFAULT_DOMAIN_ID).map_err(Error::internal)
}

async fn insert_domain(tx: &mut Transaction<'_>, id: &DomainId) -> Result<()> {
    let domain = Domain {
        id: id.clone(),
        name: "Default".to_owned(),
        description: "The default domain".to_owned(),
        is_enabled: true,
    };
    Ok(tx.domains().insert(&domain).await?)
}

async fn insert_project(
    tx: &mut Transaction<'_>,
    id: &ProjectId,
    name: &str,
    now: Timestamp,
) -> Result<()> {
    let project = Project {
        id: id.clone(),
        domain_id: default_domain()?,
        name: name.to_owned(),
        description: String::new(),
        is_enabled: true,
        created_at: now,
    };
    Ok(tx.projects().insert(&project).await?)
}

async fn insert_admin(
    tx: &mut Transaction<'_>,
    made: &Bootstrap,
    hash: &str,
    now: Timestamp,
) -> Result<()> {
    let user = User {
        id: made.user_id.clone(),
        domain_id: default_domain()?,
        name: ADMIN.to_owned(),
        password_hash: hash.to_owned(),
        default_project_id: Some(made.project_id.clone()),
        is_enabled: true,
        created_at: now,
        tokens_valid_from: now,
    };
    Ok(tx.users().insert(&user).await?)
}

async fn grant_admin(tx: &mut Transaction<'_>, user_id: &UserId, scope: Scope) -> Result<()> {
    let assignment = Assignment { user_id: user_id.clone(), scope, role: Role::Admin };
    Ok(tx.assignments().grant(&assignment).await?)
}

/// The secret that signs tokens: drawn once, kept in the catalogue, the same on every node.
pub(crate) async fn token_secret(
    catalog: &strongroom_catalog::Catalog,
    chance: &dyn Chance,
) -> Result<String> {
    let fresh = generate_password(chance) + &generate_password(chance);
    let fresh = &fresh;
    catalog
        .transact(|tx| {
            Box::pin(async move {
                tx.settings().put_if_absent(TOKEN_SECRET_SETTING, fresh).await?;
                let kept = tx.settings().get(TOKEN_SECRET_SETTING).await?;
                kept.ok_or_else(|| Error::internal("the secret of tokens was not kept"))
            })
        })
        .await
}

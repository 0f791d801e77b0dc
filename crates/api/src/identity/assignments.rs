//! Which user holds which role where.

use std::collections::HashMap;

use serde_json::{Value, json};
use strongroom_model::id::{DomainId, ProjectId, UserId};
use strongroom_model::identity::{Assignment, Scope};

use super::ask::{Answer, Ask};
use super::refusal::Refusal;
use super::{DONE, list, roles};
use crate::query::parse_bool;
use crate::reply::Reply;

/// The scope and the user that a path names.
#[derive(Debug, Clone)]
pub(super) struct Holder {
    scope: Scope,
    user_id: UserId,
}

impl Holder {
    /// A user in a project.
    pub(super) fn in_project(project: &str, user: &str) -> Result<Self, Refusal> {
        let id = ProjectId::parse(project).map_err(|_| Refusal::missing("project", project))?;
        Self::new(Scope::Project(id), user)
    }

    /// A user in a domain.
    pub(super) fn in_domain(domain: &str, user: &str) -> Result<Self, Refusal> {
        let id = DomainId::parse(domain).map_err(|_| Refusal::missing("domain", domain))?;
        Self::new(Scope::Domain(id), user)
    }

    fn new(scope: Scope, user: &str) -> Result<Self, Refusal> {
        let user_id = UserId::parse(user).map_err(|_| Refusal::missing("user", user))?;
        Ok(Self { scope, user_id })
    }

    fn with(self, role: &str) -> Result<Assignment, Refusal> {
        Ok(Assignment { user_id: self.user_id, scope: self.scope, role: roles::by_id(role)? })
    }
}

/// `PUT …/users/ID/roles/ID`.
pub(super) async fn grant(ask: &Ask, holder: Holder, role: &str) -> Answer {
    let assignment = holder.with(role)?;
    ask.service.grant(&ask.caller, assignment).await?;
    Ok(Reply::empty(DONE))
}

/// `DELETE …/users/ID/roles/ID`.
pub(super) async fn revoke(ask: &Ask, holder: Holder, role: &str) -> Answer {
    let assignment = holder.with(role)?;
    ask.service.revoke(&ask.caller, assignment).await?;
    Ok(Reply::empty(DONE))
}

/// `GET …/users/ID/roles/ID` and `HEAD`.
pub(super) async fn check(ask: &Ask, holder: Holder, role: &str) -> Answer {
    let wanted = holder.with(role)?;
    let all = ask.service.assignments(&ask.caller).await?;
    if all.contains(&wanted) {
        Ok(Reply::empty(DONE))
    } else {
        Err(Refusal::missing("role assignment with role", role))
    }
}

/// `GET …/users/ID/roles`.
pub(super) async fn of_holder(ask: &Ask, holder: Holder) -> Answer {
    let all = ask.service.assignments(&ask.caller).await?;
    let held = all
        .iter()
        .filter(|it| it.user_id == holder.user_id && it.scope == holder.scope)
        .map(|it| it.role);
    Ok(roles::reply(ask, held))
}

/// `GET /role_assignments`.
pub(super) async fn list(ask: &Ask) -> Answer {
    let all = ask.service.assignments(&ask.caller).await?;
    let names = match ask.query.get("include_names") {
        Some(word) if word.is_empty() || parse_bool(word) == Some(true) => {
            Some(Names::load(ask).await?)
        }
        _ => None,
    };
    let views = all
        .iter()
        .filter(|it| is_wanted(ask, it))
        .map(|it| view(ask, it, names.as_ref()))
        .collect();
    Ok(list::reply(ask, "role_assignments", views))
}

fn is_wanted(ask: &Ask, assignment: &Assignment) -> bool {
    let (project, domain) = match &assignment.scope {
        Scope::Project(id) => (Some(id.as_str()), None),
        Scope::Domain(id) => (None, Some(id.as_str())),
    };
    let conditions = [
        ("user.id", Some(assignment.user_id.as_str())),
        ("role.id", Some(assignment.role.id())),
        ("scope.project.id", project),
        ("scope.domain.id", domain),
        // Groups and the system hold no roles here.
        ("group.id", None),
        ("scope.system", None),
    ];
    conditions
        .iter()
        .all(|(key, value)| ask.query.get(key).is_none_or(|wanted| *value == Some(wanted)))
}

/// What is needed to name who and where, each with its domain.
struct Names {
    domains: HashMap<String, String>,
    projects: HashMap<String, (String, String)>,
    users: HashMap<String, (String, String)>,
}

impl Names {
    async fn load(ask: &Ask) -> Result<Self, Refusal> {
        let (service, caller) = (&ask.service, &ask.caller);
        let domains = service.domains(caller).await?.into_iter();
        let projects = service.projects(caller).await?.into_iter();
        let users = service.users(caller).await?.into_iter();
        Ok(Self {
            domains: domains.map(|it| (it.id.to_string(), it.name)).collect(),
            projects: projects
                .map(|it| (it.id.to_string(), (it.name, it.domain_id.to_string())))
                .collect(),
            users: users
                .map(|it| (it.id.to_string(), (it.name, it.domain_id.to_string())))
                .collect(),
        })
    }

    fn domain(&self, id: &str) -> Value {
        json!({"id": id, "name": self.domains.get(id)})
    }

    fn within(&self, id: &str, found: Option<&(String, String)>) -> Value {
        match found {
            Some((name, domain)) => {
                json!({"id": id, "name": name, "domain": self.domain(domain)})
            }
            None => json!({"id": id}),
        }
    }
}

fn view(ask: &Ask, assignment: &Assignment, names: Option<&Names>) -> Value {
    let (user, role) = (assignment.user_id.as_str(), assignment.role);
    let (kind, id) = match &assignment.scope {
        Scope::Project(id) => ("project", id.as_str()),
        Scope::Domain(id) => ("domain", id.as_str()),
    };
    let path = format!("{kind}s/{id}/users/{user}/roles/{}", role.id());
    let (user, scope, role) = match names {
        None => (json!({"id": user}), json!({"id": id}), json!({"id": role.id()})),
        Some(names) => (
            names.within(user, names.users.get(user)),
            match kind {
                "project" => names.within(id, names.projects.get(id)),
                _ => names.domain(id),
            },
            json!({"id": role.id(), "name": role.name()}),
        ),
    };
    json!({
        "links": {"assignment": ask.address(&path)},
        "role": role,
        "user": user,
        "scope": {kind: scope},
    })
}

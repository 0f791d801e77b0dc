//! The files by which clients find their way in: `clouds.yaml` and `openrc`.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Context;
use strongroom_model::id::ProjectId;
use strongroom_service::Service;
use strongroom_service::identity::{Credentials, NameOrId, ScopeRequest, Token};

use super::Addresses;
use crate::report::Hint;

/// The line of `openrc` that remembers the password between starts.
const PASSWORD_PREFIX: &str = "export OS_PASSWORD=";

/// The way in for the administrator.
#[derive(Debug)]
pub(crate) struct Access {
    addresses: Addresses,
    is_first_start: bool,
    password: Option<String>,
    project_id: Option<ProjectId>,
}

impl Access {
    /// Makes the administrator at the first start, and writes the two files. If the password was
    /// changed since, or the files were removed, they are left as they are.
    pub(crate) async fn prepare(
        data: &Path,
        service: &Service,
        addresses: Addresses,
    ) -> anyhow::Result<Self> {
        let made = service.bootstrap().await?;
        let is_first_start = made.is_some();
        let password = match made {
            Some(made) => Some(made.password),
            None => remembered(data),
        };
        let mut access = Self { addresses, is_first_start, password, project_id: None };
        if access.password.is_some() {
            let token = access.token(service).await;
            access.project_id = token.ok().and_then(|token| Some(token.project?.id));
        }
        if access.project_id.is_some() {
            access.write(data, service).context("cannot write the files for clients")?;
        }
        Ok(access)
    }

    /// A token for the administrator.
    pub(crate) async fn token(&self, service: &Service) -> anyhow::Result<Token> {
        let password = self
            .password
            .clone()
            .with_context(|| Hint("start with an empty --data directory".to_owned()))
            .context("the administrator's password is not known here")?;
        let user = NameOrId::Name("admin".to_owned(), None);
        let scope = ScopeRequest::Project(NameOrId::Name("admin".to_owned(), None));
        Ok(service.issue_token(Credentials::Password { user, password }, scope).await?)
    }

    /// Says where everything is.
    #[expect(clippy::print_stdout, reason = "this is what a person waits for")]
    pub(crate) fn announce(&self, data: &Path) {
        println!("identity  http://{}/v3", self.addresses.identity);
        println!("volume    http://{}/v3", self.addresses.volume);
        println!("compute   http://{}/v2.1", self.addresses.compute);
        println!("data      {}", data.display());
        if let (true, Some(password)) = (self.is_first_start, &self.password) {
            println!("admin     user admin, password {password} (shown once; kept in openrc)");
        }
        if self.project_id.is_none() {
            println!("note      the administrator's password is not known here, so clouds.yaml");
            println!("          and openrc were left as they are");
        }
    }

    fn write(&self, data: &Path, service: &Service) -> io::Result<()> {
        write_private(&data.join("clouds.yaml"), &self.clouds_yaml(service))?;
        write_private(&data.join("openrc"), &self.openrc(service))
    }

    fn clouds_yaml(&self, service: &Service) -> String {
        let (identity, region) = (self.addresses.identity, &service.settings().region);
        let password = self.password.as_deref().unwrap_or_default();
        format!(
            "clouds:\n  strongroom:\n    auth:\n      auth_url: http://{identity}/v3\n      \
             username: admin\n      password: {password}\n      project_name: admin\n      \
             user_domain_id: default\n      project_domain_id: default\n    \
             region_name: {region}\n    identity_api_version: 3\n    interface: public\n"
        )
    }

    fn openrc(&self, service: &Service) -> String {
        let password = self.password.as_deref().unwrap_or_default();
        let project_id = self.project_id.as_ref().map_or("", ProjectId::as_str);
        let lines = [
            ("OS_AUTH_URL", format!("http://{}/v3", self.addresses.identity)),
            ("OS_IDENTITY_API_VERSION", "3".to_owned()),
            ("OS_USERNAME", "admin".to_owned()),
            ("OS_PASSWORD", password.to_owned()),
            ("OS_PROJECT_NAME", "admin".to_owned()),
            ("OS_PROJECT_ID", project_id.to_owned()),
            ("OS_USER_DOMAIN_ID", "default".to_owned()),
            ("OS_PROJECT_DOMAIN_ID", "default".to_owned()),
            ("OS_REGION_NAME", service.settings().region.clone()),
            ("OS_INTERFACE", "public".to_owned()),
        ];
        lines.iter().map(|(name, value)| format!("export {name}={value}\n")).collect()
    }
}

/// The password that an earlier start wrote down.
fn remembered(data: &Path) -> Option<String> {
    let text = fs::read_to_string(data.join("openrc")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(PASSWORD_PREFIX))?;
    Some(line.to_owned())
}

/// Writes a file that only its owner may read, whole or not at all.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let partial = path.with_extension("partial");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&partial)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&partial, path)
}

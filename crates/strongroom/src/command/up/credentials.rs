//! The files by which clients find their way in: `clouds.yaml` and `openrc`.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Context;
use strongroom_model::id::ProjectId;
use strongroom_service::identity::{Credentials, NameOrId, ScopeRequest, Token};
use strongroom_service::{Error, Service};

use super::Addresses;
use crate::report::Hint;

/// The variable of `openrc` that remembers the password between starts.
const PASSWORD: &str = "OS_PASSWORD";

/// The variables that remember the two halves of the access key.
const KEY: [&str; 2] = ["OS_ACCESS_KEY", "OS_SECRET_KEY"];

/// The way in for the administrator.
#[derive(Debug)]
pub(crate) struct Access {
    addresses: Addresses,
    is_first_start: bool,
    password: Option<String>,
    project_id: Option<ProjectId>,
    /// Both halves of an access key.
    key: Option<[String; 2]>,
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
            None => remembered(data, PASSWORD),
        };
        let mut access = Self { addresses, is_first_start, password, project_id: None, key: None };
        if access.password.is_some()
            && let Ok(token) = access.token(service).await
        {
            access.key = standing_key(data, service, &token).await?;
            access.project_id = token.project.map(|project| project.id);
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
        println!("cbr       http://{}/v3", self.addresses.cbr);
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
            (PASSWORD, password.to_owned()),
            ("OS_PROJECT_NAME", "admin".to_owned()),
            ("OS_PROJECT_ID", project_id.to_owned()),
            ("OS_USER_DOMAIN_ID", "default".to_owned()),
            ("OS_PROJECT_DOMAIN_ID", "default".to_owned()),
            ("OS_REGION_NAME", service.settings().region.clone()),
            ("OS_INTERFACE", "public".to_owned()),
        ];
        let key = KEY.into_iter().zip(self.key.iter().flatten().cloned());
        let lines = lines.into_iter().chain(key);
        lines.map(|(name, value)| format!("export {name}={value}\n")).collect()
    }
}

/// What an earlier start wrote down as the value of a variable.
fn remembered(data: &Path, name: &str) -> Option<String> {
    let text = fs::read_to_string(data.join("openrc")).ok()?;
    let value = |line: &str| {
        line.strip_prefix("export ")?.strip_prefix(name)?.strip_prefix('=').map(str::to_owned)
    };
    text.lines().find_map(value)
}

/// The access key that an earlier start wrote down. If there is none, or it is not the
/// administrator's any more, a new one; none if the administrator has as many as it may.
async fn standing_key(
    data: &Path,
    service: &Service,
    token: &Token,
) -> anyhow::Result<Option<[String; 2]>> {
    let [access, secret] = KEY.map(|name| remembered(data, name));
    if let (Some(access), Some(secret)) = (access, secret) {
        let credentials = Credentials::AccessKey { access: access.clone(), secret: secret.clone() };
        let proved = service.issue_token(credentials, ScopeRequest::Unscoped).await;
        if proved.is_ok_and(|proved| proved.user.id == token.user.id) {
            return Ok(Some([access, secret]));
        }
    }
    let by = token.proved(service.request_id());
    let made = service.create_access_key(&by, None, "made by strongroom up".to_owned()).await;
    match made {
        Ok(issued) => Ok(Some([issued.key.access, issued.secret])),
        Err(Error::Invalid { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use strongroom_catalog::Catalog;
    use strongroom_model::chance::SeededChance;
    use strongroom_model::time::SystemClock;
    use strongroom_service::folder::VolumeFolder;
    use strongroom_service::servers::ServerFolder;
    use strongroom_service::{MasterKey, Parts, Settings, Store};

    use super::*;

    async fn service(data: &Path) -> Service {
        let chance = Arc::new(SeededChance::new(1));
        let url = format!("sqlite://{}", data.join("catalog.db").display());
        let parts = Parts {
            catalog: Catalog::connect(&url).await.unwrap(),
            store: Store::folder(&data.join("store")).unwrap(),
            master_key: MasterKey::random(&*chance),
            folder: VolumeFolder::open(data.join("volumes")).unwrap(),
            servers: ServerFolder::open(data.join("servers")).unwrap(),
            clock: Arc::new(SystemClock),
            chance,
        };
        Service::open(parts, Settings::default()).await.unwrap()
    }

    async fn start(data: &Path, service: &Service) -> Access {
        let anywhere = "127.0.0.1:1".parse().unwrap();
        let addresses =
            Addresses { identity: anywhere, volume: anywhere, cbr: anywhere, compute: anywhere };
        Access::prepare(data, service, addresses).await.unwrap()
    }

    #[tokio::test]
    async fn the_key_in_openrc_stays_while_it_holds() {
        let dir = tempfile::tempdir().unwrap();
        let (data, service) = (dir.path(), service(dir.path()).await);
        let first = start(data, &service).await;
        let written = fs::read_to_string(data.join("openrc")).unwrap();
        let [access, secret] = first.key.clone().unwrap();
        assert!(
            written.ends_with(&format!(
                "export OS_ACCESS_KEY={access}\nexport OS_SECRET_KEY={secret}\n"
            ))
        );
        start(data, &service).await;
        assert_eq!(fs::read_to_string(data.join("openrc")).unwrap(), written);

        let by = first.token(&service).await.unwrap().proved(service.request_id());
        service.delete_access_key(&by.caller, &access).await.unwrap();
        let other = start(data, &service).await.key.unwrap();
        assert_ne!(other[0], access);
        // As many as there may be, and none of them known here: no key, and no failure.
        service.create_access_key(&by, None, String::new()).await.unwrap();
        let forgotten = written.replace(&format!("export OS_SECRET_KEY={secret}\n"), "");
        fs::write(data.join("openrc"), forgotten).unwrap();
        assert_eq!(start(data, &service).await.key, None);
        assert!(!fs::read_to_string(data.join("openrc")).unwrap().contains("ACCESS_KEY"));
        assert_eq!(service.access_keys(&by.caller, None).await.unwrap().len(), 2);
    }
}

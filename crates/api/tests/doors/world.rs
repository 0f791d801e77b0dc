//! A whole service in a temporary directory behind both doors, with jobs run by hand.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use strongroom_api::cbr::{self, CbrSettings};
use strongroom_api::compute::{self, ComputeSettings};
use strongroom_api::identity::{self, IdentitySettings};
use strongroom_api::volume::{self, VolumeSettings};
use strongroom_model::chance::{Chance, SeededChance};
use strongroom_model::id::ReplicationId;
use strongroom_model::time::{SettableClock, Timestamp};
use strongroom_service::folder::VolumeFolder;
use strongroom_service::replication::{
    CopyState, Offer, PartRequest, Peer, PeerError, PeerFuture, Peers, ReplicaSource,
};
use strongroom_service::servers::ServerFolder;
use strongroom_service::{Catalog, MasterKey, Parts, Service, Settings, Store};
use tempfile::TempDir;
use tower::ServiceExt;

use crate::contract::{self, Contract};
use crate::signing::Hand;

/// The most bytes of a body that the doors of a world take.
pub(crate) const BODY_LIMIT_BYTES: usize = 4096;

/// A password for every user.
pub(crate) const PASSWORD: &str = "correct horse";

/// Everything that runs, until it is dropped.
pub(crate) struct World {
    dir: TempDir,
    clock: Arc<SettableClock>,
    pub(crate) service: Service,
    volume: Router,
    identity: Router,
    cbr: Router,
    compute: Router,
    /// A token of the first administrator in its own project.
    pub(crate) admin: Access,
}

/// A token and the project it is for.
#[derive(Clone)]
pub(crate) struct Access {
    pub(crate) token: String,
    pub(crate) project: String,
}

/// What a door answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    /// The document.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    /// The document, if the status is this one.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.json()
    }

    /// The sentence of a refusal with this status, in either envelope.
    #[track_caller]
    pub(crate) fn refusal(self, status: u16) -> String {
        let body = self.expect(status);
        let faults: Vec<_> = body.as_object().unwrap().values().collect();
        assert_eq!(faults.len(), 1, "{body}");
        faults[0]["message"].as_str().unwrap().to_owned()
    }

    /// The code of a refusal of the CBR door with this status.
    #[track_caller]
    pub(crate) fn refused(self, status: u16) -> String {
        self.expect(status)["error_code"].as_str().unwrap().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let clock =
            Arc::new(SettableClock::new(Timestamp::parse("2026-02-03T04:05:06.000007Z").unwrap()));
        let chance: Arc<dyn Chance> = Arc::new(SeededChance::new(7));
        let parts = Parts {
            catalog: Catalog::connect(&format!("sqlite://{}", path("catalog.db").display()))
                .await
                .unwrap(),
            store: Store::folder(&path("store")).unwrap(),
            master_key: MasterKey::random(&*chance),
            folder: VolumeFolder::open(path("volumes")).unwrap(),
            servers: ServerFolder::open(path("servers")).unwrap(),
            clock: Arc::clone(&clock) as _,
            chance: Arc::clone(&chance),
        };
        let service = Service::open(parts, Settings::default()).await.unwrap();
        let first = service.bootstrap().await.unwrap().unwrap();
        let (volume, identity) = doors(&service, &chance);
        let cbr = cbr_door(&service, &chance);
        let compute = compute_door(&service, &chance);
        let mut world = Self {
            dir,
            clock,
            service,
            volume,
            identity,
            cbr,
            compute,
            admin: Access { token: String::new(), project: first.project_id.to_string() },
        };
        let user = json!({"id": first.user_id.as_str(), "password": first.password});
        world.admin.token = world.log_in(&user, &first.project_id.to_string()).await;
        world
    }

    /// A world with two projects. In each, `ann` is a member and the administrator an admin, whose
    /// power ends with the project.
    pub(crate) async fn with_projects() -> (Self, Project, Project) {
        let world = Self::new().await;
        let ann = world.make_user("ann").await;
        let ids = [world.make_project("alpha", &ann).await, world.make_project("beta", &ann).await];
        let first = world.access(&ann, &ids[0]).await;
        let alpha = world.tokens(&first, &ids[0]).await;
        let beta = world.tokens(&first, &ids[1]).await;
        (world, alpha, beta)
    }

    async fn tokens(&self, ann: &Access, project: &str) -> Project {
        Project {
            member: self.rescope(ann, project).await,
            admin: self.rescope(&self.admin, project).await,
        }
    }

    pub(crate) async fn make_user(&self, name: &str) -> String {
        let body = json!({"user": {"name": name, "password": PASSWORD}});
        let user = self.identity(&self.admin).post("/v3/users", body).await;
        user.expect(201)["user"]["id"].as_str().unwrap().to_owned()
    }

    /// The id of the first administrator.
    pub(crate) async fn admin_id(&self) -> String {
        let me = self.identity(&self.admin).get("/v3/auth/tokens").await.json();
        me["token"]["user"]["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn make_project(&self, name: &str, member: &str) -> String {
        let admin = self.identity(&self.admin);
        let wish = json!({"project": {"name": name}});
        let made = admin.post("/v3/projects", wish).await.expect(201);
        let project = made["project"]["id"].as_str().unwrap().to_owned();
        let me = admin.get("/v3/auth/tokens").await.json();
        let me = me["token"]["user"]["id"].as_str().unwrap();
        for (user, role) in [(member, 2), (me, 3)] {
            let path = format!("/v3/projects/{project}/users/{user}/roles/{role:032}");
            admin.send("PUT", &path, None).await.expect(204);
        }
        project
    }

    /// A member of a project in a domain of its own, and the name of that domain.
    pub(crate) async fn stranger(&self) -> (Access, String) {
        let admin = self.identity(&self.admin);
        let make = async |noun: &str, wish: Value| {
            let made = admin.post(&format!("/v3/{noun}s"), json!({ noun: wish })).await.expect(201);
            made[noun]["id"].as_str().unwrap().to_owned()
        };
        let domain = make("domain", json!({"name": "elsewhere"})).await;
        let project = make("project", json!({"name": "gamma", "domain_id": domain})).await;
        let wish = json!({"name": "eve", "password": PASSWORD, "domain_id": domain});
        let user = make("user", wish).await;
        let path = format!("/v3/projects/{project}/users/{user}/roles/{:032}", 2);
        admin.send("PUT", &path, None).await.expect(204);
        (self.access(&user, &project).await, "elsewhere".to_owned())
    }

    /// Gives a user a role in a project.
    pub(crate) async fn grant(&self, user: &str, project: &str, role: u8) {
        let path = format!("/v3/projects/{project}/users/{user}/roles/{role:032}");
        self.identity(&self.admin).send("PUT", &path, None).await.expect(204);
    }

    /// Logs a user in.
    pub(crate) async fn access(&self, user: &str, project: &str) -> Access {
        let user = json!({"id": user, "password": PASSWORD});
        Access { token: self.log_in(&user, project).await, project: project.to_owned() }
    }

    async fn log_in(&self, user: &Value, project: &str) -> String {
        let identity = json!({"methods": ["password"], "password": {"user": user}});
        self.issue(&identity, project).await
    }

    async fn rescope(&self, access: &Access, project: &str) -> Access {
        let identity = json!({"methods": ["token"], "token": {"id": access.token}});
        Access { token: self.issue(&identity, project).await, project: project.to_owned() }
    }

    async fn issue(&self, identity: &Value, project: &str) -> String {
        let scope = json!({"project": {"id": project}});
        let body = json!({"auth": {"identity": identity, "scope": scope}});
        let issued = self.nobody_at_identity().post("/v3/auth/tokens", body).await;
        assert_eq!(issued.status, 201, "{}", issued.text);
        issued.header("x-subject-token").unwrap().to_owned()
    }

    /// The catalogue, as another process would open it.
    pub(crate) async fn catalog(&self) -> Catalog {
        let file = self.dir.path().join("catalog.db");
        Catalog::connect(&format!("sqlite://{}", file.display())).await.unwrap()
    }

    /// Lets the service know of another region, which cannot be reached.
    pub(crate) fn connect(&self, region: &'static str) {
        let peer = (region.to_owned(), Arc::new(Silent(region)) as Arc<dyn Peer>);
        self.service.connect_peers(Peers::of([peer]));
    }

    /// Lets time pass.
    pub(crate) fn pass(&self, duration: Duration) {
        self.clock.advance(duration);
    }

    /// Works on every job that is due, and lets a second pass.
    pub(crate) async fn settle(&self) {
        self.service.run_due_jobs().await.unwrap();
        self.clock.advance(Duration::from_secs(1));
    }

    fn contract_of(&self, router: &Router) -> Option<&'static Contract> {
        let is = |other: &Router| std::ptr::eq(router, other);
        if is(&self.volume) {
            Some(&contract::VOLUME)
        } else {
            is(&self.cbr).then(|| &*contract::CBR)
        }
    }

    /// A client of the volume door.
    pub(crate) fn volume(&self, access: &Access) -> Client<'_> {
        Client::new(&self.volume, Some(access), self)
    }

    /// A client of the volume door without a token.
    pub(crate) fn nobody(&self) -> Client<'_> {
        Client::new(&self.volume, None, self)
    }

    /// A client of the CBR door.
    pub(crate) fn cbr(&self, access: &Access) -> Client<'_> {
        Client::new(&self.cbr, Some(access), self)
    }

    /// A client of the CBR door without a token.
    pub(crate) fn nobody_at_cbr(&self) -> Client<'_> {
        Client::new(&self.cbr, None, self)
    }

    /// A client of the compute door.
    pub(crate) fn compute(&self, access: &Access) -> Client<'_> {
        Client::new(&self.compute, Some(access), self)
    }

    /// A client of the compute door without a token.
    pub(crate) fn nobody_at_compute(&self) -> Client<'_> {
        Client::new(&self.compute, None, self)
    }

    /// A client of the identity door.
    pub(crate) fn identity(&self, access: &Access) -> Client<'_> {
        let client = Client::new(&self.identity, Some(access), self);
        client.with("x-subject-token", &access.token)
    }

    /// A client of the identity door without a token.
    pub(crate) fn nobody_at_identity(&self) -> Client<'_> {
        Client::new(&self.identity, None, self)
    }
}

/// A region that takes copies, but cannot be reached now.
#[derive(Debug)]
struct Silent(&'static str);

impl Silent {
    fn answer<T: Send + 'static>(&self) -> PeerFuture<'_, T> {
        let region = self.0.to_owned();
        let reason = "nobody listens".to_owned();
        Box::pin(async move { Err(PeerError::Unreachable { region, reason }) })
    }
}

impl Peer for Silent {
    fn check(&self, _: Offer) -> PeerFuture<'_, ()> {
        self.answer()
    }

    fn offer(&self, _: Offer) -> PeerFuture<'_, CopyState> {
        self.answer()
    }

    fn state(&self, _: ReplicationId) -> PeerFuture<'_, CopyState> {
        self.answer()
    }

    fn part(&self, _: PartRequest) -> Arc<dyn ReplicaSource> {
        unreachable!("nothing is copied from a region that is never reached")
    }
}

/// Tokens for one project.
pub(crate) struct Project {
    pub(crate) member: Access,
    pub(crate) admin: Access,
}

fn doors(service: &Service, chance: &Arc<dyn Chance>) -> (Router, Router) {
    let volume = VolumeSettings {
        public_endpoint: None,
        identity_endpoint: "http://id.test:5000/v3".to_owned(),
        availability_zone: "nova".to_owned(),
        body_limit_bytes: BODY_LIMIT_BYTES,
        chance: Arc::clone(chance),
    };
    let identity = IdentitySettings {
        identity_endpoint: "http://id.test:5000".to_owned(),
        volume_endpoint: "http://vol.test:8776".to_owned(),
        cbr_endpoint: Some("http://cbr.test:8799".to_owned()),
        compute_endpoint: None,
        region: "home".to_owned(),
        body_limit_bytes: BODY_LIMIT_BYTES,
        chance: Arc::clone(chance),
    };
    (volume::router(service.clone(), volume), identity::router(service.clone(), identity))
}

fn cbr_door(service: &Service, chance: &Arc<dyn Chance>) -> Router {
    let settings = CbrSettings {
        public_endpoint: None,
        identity_endpoint: "http://id.test:5000".to_owned(),
        body_limit_bytes: BODY_LIMIT_BYTES,
        chance: Arc::clone(chance),
    };
    cbr::router(service.clone(), settings)
}

fn compute_door(service: &Service, chance: &Arc<dyn Chance>) -> Router {
    let settings = ComputeSettings {
        public_endpoint: None,
        identity_endpoint: "http://id.test:5000/v3".to_owned(),
        chance: Arc::clone(chance),
    };
    compute::router(service.clone(), settings)
}

/// Sends requests to a door. `{p}` in a path stands for the project.
#[derive(Clone)]
pub(crate) struct Client<'a> {
    router: &'a Router,
    /// The OpenAPI document against which every answer is held.
    contract: Option<&'static Contract>,
    world: &'a World,
    project: String,
    headers: Vec<(String, String)>,
    /// What requests are signed with.
    hand: Option<Hand>,
}

impl<'a> Client<'a> {
    fn new(router: &'a Router, access: Option<&Access>, world: &'a World) -> Self {
        let mut headers = vec![("host".to_owned(), "vol.test:8776".to_owned())];
        headers.extend(access.map(|it| ("x-auth-token".to_owned(), it.token.clone())));
        Self {
            router,
            contract: world.contract_of(router),
            world,
            project: access.map(|it| it.project.clone()).unwrap_or_default(),
            headers,
            hand: None,
        }
    }

    /// A client without a token that signs its requests; `{p}` stands for that project.
    pub(crate) fn signed(&self, hand: &Hand, project: &str) -> Self {
        let mut other = self.clone();
        other.headers.retain(|(name, _)| name != "x-auth-token");
        (other.hand, other.project) = (Some(hand.clone()), project.to_owned());
        other
    }

    /// The same client with a header on every request.
    pub(crate) fn with(&self, name: &str, value: &str) -> Self {
        let mut other = self.clone();
        other.headers.push((name.to_owned(), value.to_owned()));
        other
    }

    /// The same client at a microversion.
    pub(crate) fn at(&self, version: &str) -> Self {
        self.with("openstack-api-version", &format!("volume {version}"))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send("POST", path, Some(body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        self.send("PUT", path, Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, None).await
    }

    /// Sends a JSON body, or none.
    pub(crate) async fn send(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let kind = body.as_ref().map(|_| "application/json");
        let body = body.map(|body| body.to_string().into_bytes());
        self.raw(method, path, kind, body.unwrap_or_default()).await
    }

    /// Sends any bytes as any type.
    pub(crate) async fn raw(
        &self,
        method: &str,
        path: &str,
        kind: Option<&str>,
        body: Vec<u8>,
    ) -> Answer {
        let uri = path.replace("{p}", &self.project);
        let mut request = Request::builder().method(method).uri(&uri);
        let mut headers = self.headers.clone();
        headers.extend(kind.map(|kind| ("content-type".to_owned(), kind.to_owned())));
        if let Some(hand) = &self.hand {
            hand.sign((method, &uri), &mut headers, &body, self.world.service.now());
        }
        for (name, value) in &headers {
            request = request.header(name, value);
        }
        let request = request.body(Body::from(body.clone())).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, received) = response.into_parts();
        let bytes = received.collect().await.unwrap().to_bytes();
        assert_ne!(parts.status, StatusCode::INTERNAL_SERVER_ERROR, "{method} {path}");
        let answer = Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        };
        if let Some(contract) = self.contract {
            contract.check(method, &uri, &body, &answer);
        }
        answer
    }

    /// Makes a volume of 1 GiB and waits for it.
    pub(crate) async fn make_volume(&self, name: &str) -> String {
        let body = json!({"volume": {"name": name, "size": 1}});
        self.make("volume", "/v3/{p}/volumes", body).await
    }

    /// Makes a snapshot of a volume and waits for it.
    pub(crate) async fn make_snapshot(&self, volume: &str) -> String {
        let body = json!({"snapshot": {"name": "s", "volume_id": volume}});
        self.make("snapshot", "/v3/{p}/snapshots", body).await
    }

    /// Backs a volume up and waits for it.
    pub(crate) async fn make_backup(&self, volume: &str, name: &str) -> String {
        let body = json!({"backup": {"name": name, "volume_id": volume}});
        self.make("backup", "/v3/{p}/backups", body).await
    }

    async fn make(&self, noun: &str, path: &str, body: Value) -> String {
        let made = self.post(path, body).await.expect(202);
        let id = made[noun]["id"].as_str().unwrap().to_owned();
        self.world.settle().await;
        let shown = self.get(&format!("{path}/{id}")).await.expect(200);
        assert_eq!(shown[noun]["status"], "available", "{shown}");
        id
    }
}

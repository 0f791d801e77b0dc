//! The way to another region by HTTP.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, Method, Response, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use strongroom_model::id::ReplicationId;
use strongroom_model::time::Clock;
use strongroom_service::replication::{
    CHUNKS_BYTES_MAX, CopyState, OUTLINE_BYTES_MAX, Offer, PartQuestion, PartRequest, Peer,
    PeerError, PeerFuture, PeerKey, PeerRefusal, ReplicaSource, SUMMARY_BYTES_MAX, Sealed,
    WireError,
};
use tokio::runtime::Handle;

use super::{Asked, DATE, REGION, SEAL};

/// How long it may take to be connected.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long nothing may come of an answer.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// The most bytes of an answer that is not for the engine.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// Another region that is reached by HTTP. Cheap to clone.
#[derive(Debug, Clone)]
pub struct HttpPeer {
    client: Client,
    /// That region.
    region: String,
    /// Its address, without a slash at the end.
    endpoint: String,
    /// This region.
    own: String,
    key: PeerKey,
    clock: Arc<dyn Clock>,
}

/// A refusal as it comes.
#[derive(Debug, Deserialize)]
struct Told {
    reason: Option<PeerRefusal>,
    message: String,
}

impl HttpPeer {
    /// The way from region `own` to the region at `endpoint`, as in `https://backup.example.org:8799`.
    ///
    /// # Errors
    /// A sentence, if no client can be made.
    pub fn new(
        (own, region): (&str, &str),
        endpoint: &str,
        key: PeerKey,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, String> {
        let client = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self {
            client,
            region: region.to_owned(),
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            own: own.to_owned(),
            key,
            clock,
        })
    }

    /// Where that region is stays in the log.
    fn unreachable(&self, error: &reqwest::Error) -> PeerError {
        tracing::warn!(region = self.region, %error, "a region cannot be reached");
        self.away("it does not answer")
    }

    fn away(&self, reason: &str) -> PeerError {
        PeerError::Unreachable { region: self.region.clone(), reason: reason.to_owned() }
    }

    async fn ask(
        &self,
        method: Method,
        rest: &str,
        body: Vec<u8>,
        limit_bytes: usize,
    ) -> Result<Vec<u8>, PeerError> {
        let path = format!("/peer/v1/{rest}");
        let at_secs = self.clock.now().as_secs();
        let sealed = Sealed {
            region: &self.own,
            at_secs,
            method: method.as_str(),
            path: &path,
            body: &body,
        };
        let seal = self.key.seal(&sealed);
        let request = self
            .client
            .request(method, format!("{}{path}", self.endpoint))
            .header(REGION, &self.own)
            .header(DATE, at_secs.to_string())
            .header(SEAL, seal)
            .header("content-type", "application/json")
            .body(body);
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        let bytes = self.read(response, limit_bytes).await?;
        match status {
            StatusCode::OK => Ok(bytes),
            StatusCode::CONFLICT => Err(refusal(&bytes)),
            StatusCode::UNAUTHORIZED => {
                Err(self.away("it does not know this region: secret, name or clock differ"))
            }
            other => Err(self.away(&format!("it answers {}", other.as_u16()))),
        }
    }

    /// Reads an answer of at most `limit_bytes`.
    async fn read(&self, mut response: Response, limit_bytes: usize) -> Result<Vec<u8>, PeerError> {
        let mut bytes = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(piece)) if bytes.len() + piece.len() <= limit_bytes => {
                    bytes.extend_from_slice(&piece);
                }
                Ok(Some(_)) => return Err(self.away("its answer is too long")),
                Ok(None) => return Ok(bytes),
                Err(error) => return Err(self.unreachable(&error)),
            }
        }
    }

    async fn ask_json<T: DeserializeOwned>(
        &self,
        method: Method,
        rest: &str,
        body: Vec<u8>,
    ) -> Result<T, PeerError> {
        let bytes = self.ask(method, rest, body, ANSWER_BYTES_MAX).await?;
        serde_json::from_slice(&bytes).map_err(|_| self.away("its answer is not understood"))
    }
}

fn refusal(bytes: &[u8]) -> PeerError {
    let told: Option<Told> = serde_json::from_slice(bytes).ok();
    let (reason, message) = told.map_or((None, String::new()), |told| (told.reason, told.message));
    PeerError::Refused {
        reason: reason.unwrap_or(PeerRefusal::Other),
        message: format!("the other region refuses: {message}"),
    }
}

impl Peer for HttpPeer {
    fn check(&self, offer: Offer) -> PeerFuture<'_, ()> {
        Box::pin(async move {
            let body = json!(offer).to_string().into_bytes();
            self.ask(Method::POST, "check", body, ANSWER_BYTES_MAX).await.map(drop)
        })
    }

    fn offer(&self, offer: Offer) -> PeerFuture<'_, CopyState> {
        Box::pin(async move {
            let body = json!(offer).to_string().into_bytes();
            self.ask_json(Method::POST, "offers", body).await
        })
    }

    fn state(&self, id: ReplicationId) -> PeerFuture<'_, CopyState> {
        Box::pin(
            async move { self.ask_json(Method::GET, &format!("copies/{id}"), Vec::new()).await },
        )
    }

    fn part(&self, request: PartRequest) -> Arc<dyn ReplicaSource> {
        Arc::new(HttpPart { peer: self.clone(), request, runtime: Handle::current() })
    }
}

/// A part of a replication that is read from threads that may block.
#[derive(Debug)]
struct HttpPart {
    peer: HttpPeer,
    request: PartRequest,
    runtime: Handle,
}

impl HttpPart {
    fn ask(&self, question: PartQuestion, limit_bytes: usize) -> Result<Vec<u8>, WireError> {
        let asked = Asked { part: self.request.clone(), question };
        let body = json!(asked).to_string().into_bytes();
        let asked = self.peer.ask(Method::POST, "parts", body, limit_bytes);
        self.runtime.block_on(asked).map_err(|error| match error {
            PeerError::Unreachable { .. } => WireError::Cut(error.to_string()),
            PeerError::Refused { message, .. } => WireError::Refused(message),
        })
    }
}

impl ReplicaSource for HttpPart {
    fn summary(&self) -> Result<Vec<u8>, WireError> {
        self.ask(PartQuestion::Summary, SUMMARY_BYTES_MAX)
    }

    fn outline(&self, page: u64, with_base: bool) -> Result<Vec<u8>, WireError> {
        self.ask(PartQuestion::Outline { page, with_base }, OUTLINE_BYTES_MAX)
    }

    fn chunks(&self, cells: &[u64]) -> Result<Vec<u8>, WireError> {
        self.ask(PartQuestion::Chunks { cells: cells.to_vec() }, CHUNKS_BYTES_MAX)
    }
}

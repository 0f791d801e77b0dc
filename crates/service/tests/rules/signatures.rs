//! Signed requests: what proves a caller, and that nothing else does.

use std::time::Duration;

use strongroom_model::chance::{Chance, SeededChance};
use strongroom_model::identity::{Assignment, Role, Scope};
use strongroom_model::time::Timestamp;
use strongroom_service::identity::{AccessKeyChange, IdentityChange};
use strongroom_service::{CallerScope, Error};
use strongroom_testkit::signer::{Form, Unsigned};

use super::signing::{Hand, Sent, date, hand, proved};
use super::world::World;

async fn refused(w: &World, sent: &Sent) -> bool {
    matches!(sent.caller(&w.service).await, Err(Error::Unauthenticated))
}

#[tokio::test]
async fn a_signature_of_either_form_proves_its_user() {
    let w = World::new().await;
    let alpha = w.project("alpha", Role::Member).await;
    let CallerScope::Project(id) = &alpha.scope else { panic!("{alpha:?}") };
    let hand = hand(&w, "alpha").await;
    for form in Form::ALL {
        let sent = hand.get(form, w.service.now());
        let caller = sent.proved_in(&w.service, Some(id.as_str())).await.unwrap().caller;
        assert_eq!((&caller.user_id, &caller.scope), (&alpha.user_id, &alpha.scope));
        assert_eq!((caller.role, caller.is_cloud_admin), (Some(Role::Member), false));
        assert_eq!(caller.request_id, "req-1");
        // Named by nothing that is signed: the role is the user's own in that project.
        let named = sent.clone().with("X-Project-Id", id.as_str()).caller(&w.service).await;
        assert_eq!(named.unwrap().role, Some(Role::Member));
        // The user has no default project, so that without a name it acts nowhere.
        let caller = sent.caller(&w.service).await.unwrap();
        assert_eq!((caller.scope, caller.role), (CallerScope::Unscoped, None));
    }
}

#[tokio::test]
async fn an_unsigned_name_gives_no_role() {
    let w = World::new().await;
    w.project("alpha", Role::Admin).await;
    let beta = w.project("beta", Role::Member).await;
    let CallerScope::Project(beta_id) = &beta.scope else { panic!("{beta:?}") };
    let sent = hand(&w, "alpha").await.get(Form::New, w.service.now());
    let admin_project = w.bootstrap.project_id.as_str();
    for project in [beta_id.as_str(), admin_project, "none", "a/b"] {
        for answer in [
            sent.clone().with("x-project-id", project).caller(&w.service).await,
            sent.proved_in(&w.service, Some(project)).await.map(|proved| proved.caller),
        ] {
            assert!(matches!(answer, Err(Error::Forbidden(_))), "{project}: {answer:?}");
        }
    }
    // The path is what is asked for; a header beside it changes nothing.
    let both = sent.clone().with("x-project-id", beta_id.as_str());
    let alpha = proved(&w, "alpha").await.caller;
    let CallerScope::Project(alpha_id) = &alpha.scope else { panic!("{alpha:?}") };
    let caller = both.proved_in(&w.service, Some(alpha_id.as_str())).await.unwrap().caller;
    assert_eq!(caller.scope, alpha.scope);
    let twice = sent.with("x-project-id", alpha_id.as_str()).with("X-Project-Id", "none");
    assert!(refused(&w, &twice).await);
}

#[tokio::test]
async fn a_role_that_is_taken_or_given_counts_at_once() {
    let w = World::new().await;
    let alpha = w.project("alpha", Role::Reader).await;
    let CallerScope::Project(id) = &alpha.scope else { panic!("{alpha:?}") };
    let hand = hand(&w, "alpha").await;
    let held = |role| Assignment {
        user_id: alpha.user_id.clone(),
        scope: Scope::Project(id.clone()),
        role,
    };
    let role = async || {
        let sent = hand.get(Form::Old, w.service.now());
        sent.proved_in(&w.service, Some(id.as_str())).await.map(|proved| proved.caller.role)
    };
    w.service.grant(&w.admin, held(Role::Member)).await.unwrap();
    assert_eq!(role().await.unwrap(), Some(Role::Member));
    w.service.revoke(&w.admin, held(Role::Member)).await.unwrap();
    assert_eq!(role().await.unwrap(), Some(Role::Reader));
    let off = IdentityChange { is_enabled: Some(false), ..IdentityChange::default() };
    w.service.update_project(&w.admin, id.as_str(), off).await.unwrap();
    assert!(matches!(role().await, Err(Error::Forbidden(_))));
}

#[tokio::test]
async fn domains_are_named_too() {
    let w = World::new().await;
    w.project("alpha", Role::Member).await;
    let sent = hand(&w, "alpha").await.get(Form::New, w.service.now());
    // Its own account gives it nothing there, and is no reason to refuse it.
    let own = sent.clone().with("x-domain-id", "default").caller(&w.service).await.unwrap();
    assert_eq!((own.scope, own.role), (CallerScope::Unscoped, None));
    let other = sent.with("x-domain-id", "other").caller(&w.service).await;
    assert!(matches!(other, Err(Error::Forbidden(_))));
    let admin = super::signing::proved_admin(&w).await;
    let issued = w.service.create_access_key(&admin, None, String::new()).await.unwrap();
    let sent = Hand::from(issued).get(Form::New, w.service.now());
    let caller = sent.clone().with("x-domain-id", "default").caller(&w.service).await.unwrap();
    assert!(matches!(caller.scope, CallerScope::Domain(_)) && caller.is_cloud_admin);
    // Without a name the default project is meant, as for tokens.
    let caller = sent.caller(&w.service).await.unwrap();
    assert_eq!(caller.scope, CallerScope::Project(w.bootstrap.project_id.clone()));
    assert!(caller.is_cloud_admin);
}

#[tokio::test]
async fn a_date_holds_for_fifteen_minutes_either_way() {
    let w = World::new().await;
    w.project("alpha", Role::Member).await;
    let hand = hand(&w, "alpha").await;
    let now = w.service.now();
    let at = |seconds: i64| Timestamp::from_micros(now.as_micros() + seconds * 1_000_000);
    for form in Form::ALL {
        for (seconds, holds) in [(0, true), (900, true), (901, false), (-900, true), (-901, false)]
        {
            let answer = hand.get(form, at(seconds)).caller(&w.service).await;
            assert_eq!(answer.is_ok(), holds, "{form:?} {seconds}");
        }
        let sent = hand.get(form, now);
        assert!(refused(&w, &sent.clone().without("x-sdk-date")).await);
        assert!(refused(&w, &sent.with("x-sdk-date", &date(now))).await);
    }
    w.clock.advance(Duration::from_secs(901));
    assert!(refused(&w, &hand.get(Form::New, now)).await);
}

#[tokio::test]
async fn every_wrong_key_is_refused_alike() {
    let w = World::new().await;
    w.project("alpha", Role::Member).await;
    w.project("beta", Role::Member).await;
    let (ann, bob) = (hand(&w, "alpha").await, hand(&w, "beta").await);
    let now = w.service.now();
    let wrong = [
        Hand { access: "A".repeat(20), ..ann.clone() },
        Hand { access: bob.access.clone(), ..ann.clone() },
        Hand { access: ann.access.to_lowercase(), ..ann.clone() },
        Hand { secret: bob.secret.clone(), ..ann.clone() },
        Hand { secret: String::new(), ..ann.clone() },
    ];
    for hand in wrong {
        for form in Form::ALL {
            assert!(refused(&w, &hand.get(form, now)).await, "{hand:?}");
        }
    }
    let off = AccessKeyChange { is_enabled: Some(false), description: None };
    let caller = proved(&w, "alpha").await.caller;
    w.service.update_access_key(&caller, &ann.access, off).await.unwrap();
    assert!(refused(&w, &ann.get(Form::New, now)).await);
}

/// Changes one character of a text, or makes one.
fn altered(text: &str, chance: &SeededChance) -> String {
    let mut dice = [0; 2];
    chance.fill(&mut dice);
    let mut chars: Vec<char> = text.chars().collect();
    let letter = char::from(b'a' + dice[0] % 26);
    if chars.is_empty() {
        return letter.to_string();
    }
    let place = usize::from(dice[1]) % chars.len();
    chars[place] = if chars[place] == letter { 'A' } else { letter };
    chars.into_iter().collect()
}

#[tokio::test]
async fn whatever_is_changed_breaks_it() {
    let w = World::new().await;
    w.project("alpha", Role::Member).await;
    let hand = hand(&w, "alpha").await;
    let (now, chance) = (w.service.now(), SeededChance::new(11));
    let body = br#"{"vault": {"name": "v"}}"#;
    for form in Form::ALL {
        for _ in 0..40 {
            let sent = hand.send(form, now, ("POST", "/v3/p/vaults?limit=1&name=x"), body);
            sent.caller(&w.service).await.unwrap();
            let header = |name: &str| {
                let found = sent.headers.iter().find(|(key, _)| key == name);
                altered(&found.unwrap().1, &chance)
            };
            let text = String::from_utf8(sent.body.clone()).unwrap();
            let changed = [
                Sent { method: "PUT".to_owned(), ..sent.clone() },
                Sent { path: altered(&sent.path, &chance), ..sent.clone() },
                Sent { query: altered(&sent.query, &chance), ..sent.clone() },
                Sent { query: String::new(), ..sent.clone() },
                Sent { query: format!("{}&force=true", sent.query), ..sent.clone() },
                Sent { query: format!("{}&limit=2", sent.query), ..sent.clone() },
                Sent { body: altered(&text, &chance).into_bytes(), ..sent.clone() },
                Sent { body: Vec::new(), ..sent.clone() },
                sent.clone().changed("host", &header("host")),
                sent.clone().changed("user-agent", &header("user-agent")),
                sent.clone().without("user-agent"),
                sent.clone().with("host", "cbr.test"),
                sent.clone().changed("x-sdk-date", &date(now.plus(Duration::from_secs(1)))),
                sent.clone().with("x-sdk-content-sha256", "UNSIGNED-PAYLOAD"),
            ];
            for (number, changed) in changed.iter().enumerate() {
                assert!(refused(&w, changed).await, "{form:?} {number}: {changed:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_header_that_proves_nothing_is_refused() {
    let w = World::new().await;
    w.project("alpha", Role::Member).await;
    let hand = hand(&w, "alpha").await;
    for form in Form::ALL {
        let sent = hand.get(form, w.service.now());
        let (_, right) = sent.headers.iter().find(|(name, _)| name == "Authorization").unwrap();
        let (start, signature) = right.rsplit_once('=').unwrap();
        let chance = SeededChance::new(3);
        let mut wrong = vec![
            String::new(),
            "SDK-HMAC-SHA256".to_owned(),
            "Bearer x".to_owned(),
            right.replace("SDK-HMAC", "V11-HMAC"),
            right.replace("SignedHeaders=", "SignedHeaders=accept;"),
            right.replace(";x-sdk-date", ""),
            right.replace("host;user-agent;x-sdk-date", ""),
            right.replace(", SignedHeaders=", ", Signature=00, SignedHeaders="),
            right.replace("/sdk_request", "/sdk_request/sdk_request"),
            right.replace("Access=", "Access=x, Access="),
            format!("{start}="),
            format!("{start}={}", &signature[..62]),
            format!("{start}={}", &signature[..63]),
            format!("{start}={signature}00"),
            format!("{right}, Access={}", hand.access),
            "SDK-HMAC-SHA256 Access=, SignedHeaders=, Signature=é".to_owned(),
        ];
        wrong.retain(|header| header != right);
        wrong.extend((0..64).map(|place| {
            let mut digits = signature.as_bytes().to_vec();
            digits[place] = if digits[place] == b'0' { b'1' } else { b'0' };
            format!("{start}={}", String::from_utf8(digits).unwrap())
        }));
        wrong.extend((0..64).map(|_| altered(right, &chance)));
        for header in wrong {
            // Which letters are capitals makes no difference to the digits of a number.
            if header.eq_ignore_ascii_case(right) {
                continue;
            }
            let sent = sent.clone().changed("Authorization", &header);
            assert!(refused(&w, &sent).await, "{header}");
        }
        let twice = sent.clone().with("authorization", right);
        assert!(refused(&w, &twice).await);
        assert!(refused(&w, &sent.without("authorization")).await);
    }
}

#[tokio::test]
async fn a_body_may_be_left_unsigned_by_saying_so() {
    let w = World::new().await;
    w.project("alpha", Role::Member).await;
    let hand = hand(&w, "alpha").await;
    let now = date(w.service.now());
    let signed = |hash: &str| {
        let headers = [("x-sdk-content-sha256", hash), ("x-sdk-date", now.as_str())];
        let (method, target, body) = ("POST", "/v3/p/vaults", &b"{}"[..]);
        let unsigned = Unsigned { method, target, headers: &headers, body };
        let authorization = hand.signer(Form::New).sign(&unsigned);
        Sent {
            method: method.to_owned(),
            path: target.to_owned(),
            query: String::new(),
            headers: Vec::new(),
            body: body.to_vec(),
        }
        .with("x-sdk-content-sha256", hash)
        .with("x-sdk-date", &now)
        .with("authorization", &authorization)
    };
    let true_hash = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    for hash in [true_hash, "UNSIGNED-PAYLOAD"] {
        signed(hash).caller(&w.service).await.unwrap();
    }
    // A hash that is not the body's is a lie, however well it is signed.
    let other = true_hash.replace("44136", "44137");
    for hash in [other.as_str(), "", "unsigned-payload"] {
        assert!(refused(&w, &signed(hash)).await, "{hash}");
    }
}

#[tokio::test]
async fn oddities_of_the_older_form() {
    let w = World::new().await;
    w.project("alpha", Role::Member).await;
    let hand = hand(&w, "alpha").await;
    let now = w.service.now();
    // A POST without a body signs the query in the body's place.
    let sent = hand.send(Form::Old, now, ("POST", "/v3/p/x?b=2&a=1"), b"");
    sent.caller(&w.service).await.unwrap();
    assert!(refused(&w, &Sent { query: "a=1&b=3".to_owned(), ..sent }).await);
    // Clients sign only the first value of a repeated name: what follows could be anything.
    let repeated = "/v3/p/backups?status=a&status=b";
    assert!(refused(&w, &hand.send(Form::Old, now, ("GET", repeated), b"")).await);
    hand.send(Form::New, now, ("GET", repeated), b"").caller(&w.service).await.unwrap();
    // The day of the key is that of the date.
    let sent = hand.get(Form::Old, now);
    let (_, right) = sent.headers.iter().find(|(name, _)| name == "Authorization").unwrap();
    let wrong = right.replace(&date(now)[..8], "20200101");
    assert_ne!(*right, wrong);
    assert!(refused(&w, &sent.clone().changed("Authorization", &wrong)).await);
}

#[tokio::test]
async fn paths_and_queries_are_brought_to_one_form() {
    let w = World::new().await;
    w.project("alpha", Role::Member).await;
    let hand = hand(&w, "alpha").await;
    let now = w.service.now();
    let signed = hand.send(Form::New, now, ("GET", "/v3/p/a%20b~?flag&name=a%2Bb%20c"), b"");
    for (path, query) in [
        ("/v3/p/a%20b~", "flag&name=a%2Bb%20c"),
        ("/v3/p/a%20b%7E/", "name=a%2bb+c&flag="),
        ("/v3/p/a%20b~/", "name=a%2Bb%20c&&flag"),
    ] {
        let sent = Sent { path: path.to_owned(), query: query.to_owned(), ..signed.clone() };
        sent.caller(&w.service).await.unwrap();
    }
    for (path, query) in [
        ("/v3/p/a+b~", "flag&name=a%2Bb%20c"),
        ("/v3/p/a%20b~", "flag&name=a+b+c"),
        ("/v3/p/a%2", ""),
        ("/v3/p/a%zz", ""),
        ("/v3/p/a%20b~", "flag&name=%"),
    ] {
        let sent = Sent { path: path.to_owned(), query: query.to_owned(), ..signed.clone() };
        assert!(refused(&w, &sent).await, "{path} {query}");
    }
}

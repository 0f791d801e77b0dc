//! The compute door, and what the inventory of servers shows on the volume door.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_json::{Value, json};
use strongroom_model::chance::SeededChance;
use strongroom_model::id::{NetworkId, PortId, ProjectId, ServerId, SubnetId, VolumeId};
use strongroom_model::server::{Flavor, Interface, Server, ServerDisk, ServerStatus, device_name};
use strongroom_model::time::Timestamp;
use strongroom_testkit::signer::Form;

use crate::world::{Access, World};

/// A server of that project with these disks, made `seed` seconds after the epoch.
fn server(access: &Access, seed: u64, disks: &[&str]) -> Server {
    let chance = SeededChance::new(seed);
    let disks = disks.iter().enumerate().map(|(at, id)| ServerDisk {
        volume_id: VolumeId::parse(id).unwrap(),
        device: device_name(at).unwrap(),
        is_system: at == 0,
    });
    Server {
        id: ServerId::random(&chance),
        project_id: ProjectId::parse(&access.project).unwrap(),
        user_id: None,
        name: format!("server-{seed}"),
        status: ServerStatus::Active,
        availability_zone: "nova".to_owned(),
        architecture: "x86_64".to_owned(),
        flavor: Flavor {
            id: format!("flavor-{}", seed % 2),
            name: "small".to_owned(),
            vcpus: 1,
            ram_mib: 1024,
            disk_gib: 0,
        },
        disks: disks.collect(),
        interfaces: vec![Interface {
            port_id: PortId::random(&chance),
            network_id: NetworkId::random(&chance),
            subnet_id: SubnetId::random(&chance),
            ip_address: IpAddr::from([10, 0, 0, 5]),
            mac_address: "fa:16:3e:00:00:01".to_owned(),
        }],
        floating_ips: Vec::new(),
        metadata: BTreeMap::new(),
        tags: BTreeMap::new(),
        image_id: None,
        key_name: None,
        created_at: Timestamp::from_micros(i64::try_from(seed).unwrap() * 1_000_000),
        updated_at: None,
        wants_power_on: None,
    }
}

async fn keep(world: &World, access: &Access, seed: u64, disks: &[&str]) -> Server {
    world.service.keep_server(server(access, seed, disks)).await.unwrap()
}

fn names(page: &Value) -> Vec<&str> {
    let servers = page["servers"].as_array().unwrap();
    servers.iter().map(|server| server["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_server_is_shown_with_and_without_the_project_in_the_path() {
    let (world, alpha, _) = World::with_projects().await;
    let volume = world.volume(&alpha.member).make_volume("v").await;
    let kept = keep(&world, &alpha.member, 1, &[&volume]).await;
    let member = world.compute(&alpha.member);
    for base in ["/v2.1", "/v2.1/{p}"] {
        let shown = member.get(&format!("{base}/servers/{}", kept.id)).await;
        assert_eq!(shown.header("openstack-api-version"), Some("compute 2.1"));
        assert_eq!(shown.header("x-openstack-nova-api-version"), Some("2.1"));
        let shown = shown.expect(200);
        let found = &shown["server"];
        assert_eq!((&found["name"], &found["status"]), (&json!("server-1"), &json!("ACTIVE")));
        assert_eq!(found["os-extended-volumes:volumes_attached"][0]["id"], volume);
        let base = base.replace("{p}", &alpha.member.project);
        let own = format!("http://vol.test:8776{base}/servers/{}", kept.id);
        assert_eq!(found["links"][0]["href"], own);
        let listed = member.get(&format!("{base}/servers/detail")).await.expect(200);
        assert_eq!(&listed["servers"][0], found);
        let short = member.get(&format!("{base}/servers")).await.expect(200);
        let keys: Vec<_> = short["servers"][0].as_object().unwrap().keys().collect();
        assert_eq!(keys, ["id", "name", "links"]);
    }
    let head = member.send("HEAD", &format!("/v2.1/servers/{}", kept.id), None).await;
    assert_eq!((head.status, head.text.as_str()), (200, ""));
}

#[tokio::test]
async fn disks_and_interfaces_are_listed() {
    let (world, alpha, _) = World::with_projects().await;
    let volume = world.volume(&alpha.member).make_volume("v").await;
    let kept = keep(&world, &alpha.member, 1, &[&volume]).await;
    let member = world.compute(&alpha.member);
    let path = format!("/v2.1/servers/{}", kept.id);
    let disk = json!({
        "device": "/dev/vda", "id": volume, "serverId": kept.id.to_string(), "volumeId": volume,
    });
    let disks = member.get(&format!("{path}/os-volume_attachments")).await.expect(200);
    assert_eq!(disks, json!({"volumeAttachments": [disk]}));
    let one = member.get(&format!("{path}/os-volume_attachments/{volume}")).await.expect(200);
    assert_eq!(one, json!({"volumeAttachment": disk}));
    let told = member.get(&format!("{path}/os-volume_attachments/{}", kept.id)).await.refusal(404);
    assert_eq!(told, format!("Volume {} could not be found.", kept.id));
    let interfaces = member.get(&format!("{path}/os-interface")).await.expect(200);
    let interface = &interfaces["interfaceAttachments"][0];
    assert_eq!(interface["fixed_ips"][0]["ip_address"], "10.0.0.5");
    let port = interface["port_id"].as_str().unwrap();
    let one = member.get(&format!("{path}/os-interface/{port}")).await.expect(200);
    assert_eq!(&one["interfaceAttachment"], interface);
    for unknown in ["x", &volume] {
        member.get(&format!("{path}/os-interface/{unknown}")).await.refusal(404);
    }
}

#[tokio::test]
async fn flavors_are_those_of_the_projects_servers() {
    let (world, alpha, beta) = World::with_projects().await;
    for seed in 1..=3 {
        keep(&world, &alpha.member, seed, &[]).await;
    }
    let member = world.compute(&alpha.member);
    let listed = member.get("/v2.1/flavors?is_public=None").await.expect(200);
    let ids: Vec<_> = listed["flavors"].as_array().unwrap().iter().map(|it| &it["id"]).collect();
    assert_eq!(ids, ["flavor-0", "flavor-1"]);
    let page = member.get("/v2.1/flavors/detail?limit=1").await.expect(200);
    assert_eq!(
        (&page["flavors"][0]["ram"], &page["flavors"][0]["vcpus"]),
        (&json!(1024), &json!(1))
    );
    let next = page["flavors_links"][0]["href"].as_str().unwrap();
    assert_eq!(next, "http://vol.test:8776/v2.1/flavors/detail?limit=1&marker=flavor-0");
    let shown = member.get("/v2.1/{p}/flavors/flavor-1").await.expect(200);
    assert_eq!(shown["flavor"]["name"], "small");
    let more = member.get("/v2.1/flavors/flavor-1/os-extra_specs").await.expect(200);
    assert_eq!(more, json!({"extra_specs": {}}));
    member.get("/v2.1/flavors/x/os-extra_specs").await.refusal(404);
    let told = member.get("/v2.1/flavors/x").await.refusal(404);
    assert_eq!(told, "Flavor x could not be found.");
    let told = member.get("/v2.1/flavors?marker=x").await.refusal(400);
    assert_eq!(told, "marker [x] not found");
    let elsewhere = world.compute(&beta.member);
    assert_eq!(elsewhere.get("/v2.1/flavors").await.expect(200), json!({"flavors": []}));
    elsewhere.get("/v2.1/flavors/flavor-1").await.refusal(404);
}

#[tokio::test]
async fn pages_follow_each_other_by_their_links() {
    let (world, alpha, beta) = World::with_projects().await;
    for seed in 1..=3 {
        keep(&world, &alpha.member, seed, &[]).await;
    }
    let foreign = keep(&world, &beta.member, 9, &[]).await;
    let member = world.compute(&alpha.member);
    let first = member.get("/v2.1/{p}/servers?limit=2&name=server").await.expect(200);
    assert_eq!(names(&first), ["server-3", "server-2"]);
    let next = first["servers_links"][0]["href"].as_str().unwrap();
    let path = next.strip_prefix("http://vol.test:8776").unwrap();
    let second = member.get(path).await.expect(200);
    assert_eq!(names(&second), ["server-1"]);
    assert_eq!(second["servers_links"], Value::Null);
    assert!(names(&member.get("/v2.1/servers?limit=0").await.expect(200)).is_empty());
    for marker in [foreign.id.to_string(), "x".to_owned()] {
        let told = member.get(&format!("/v2.1/servers?marker={marker}")).await.refusal(400);
        assert_eq!(told, format!("marker [{marker}] not found"));
    }
    for query in ["limit=-1", "limit=x", "sort_key=name", "sort_dir=asc"] {
        member.get(&format!("/v2.1/servers?{query}")).await.refusal(400);
    }
}

#[tokio::test]
async fn filters_are_those_of_nova() {
    let (world, alpha, _) = World::with_projects().await;
    for seed in [1, 2, 12] {
        keep(&world, &alpha.member, seed, &[]).await;
    }
    let off = Server { status: ServerStatus::Shutoff, ..server(&alpha.member, 20, &[]) };
    let off = world.service.keep_server(off).await.unwrap();
    let member = world.compute(&alpha.member);
    let table = [
        ("name=server-1", vec!["server-12", "server-1"]),
        ("name=%5Eserver-1%24", vec!["server-1"]),
        ("status=shutoff", vec!["server-20"]),
        ("status=BUILD", vec![]),
        ("flavor=flavor-1", vec!["server-1"]),
        ("availability_zone=mars", vec![]),
        ("deleted=True", vec![]),
        ("deleted=False&sort_key=created_at&sort_dir=desc&status=SHUTOFF", vec!["server-20"]),
        ("unknown=1&name=20", vec!["server-20"]),
    ];
    for (query, expected) in table {
        let page = member.get(&format!("/v2.1/servers/detail?{query}")).await.expect(200);
        assert_eq!(names(&page), expected, "{query}");
    }
    let page = member.get(&format!("/v2.1/servers?uuid={}", off.id)).await.expect(200);
    assert_eq!(names(&page), ["server-20"]);
}

#[tokio::test]
async fn nobody_reaches_another_projects_servers() {
    let (world, alpha, beta) = World::with_projects().await;
    let volume = world.volume(&alpha.member).make_volume("v").await;
    let kept = keep(&world, &alpha.member, 1, &[&volume]).await;
    let port = kept.interfaces[0].port_id;
    for stranger in [&beta.member, &beta.admin] {
        let client = world.compute(stranger);
        for rest in [
            String::new(),
            "/os-volume_attachments".to_owned(),
            format!("/os-volume_attachments/{volume}"),
            "/os-interface".to_owned(),
            format!("/os-interface/{port}"),
        ] {
            let path = |id: &str| format!("/v2.1/servers/{id}{rest}");
            let foreign = client.get(&path(&kept.id.to_string())).await;
            let missing = client.get(&path("00000000-0000-4000-8000-000000000000")).await;
            assert_eq!((foreign.status, missing.status), (404, 404), "{rest}");
            let told = foreign.refusal(404);
            assert_eq!(told, format!("Instance {} could not be found.", kept.id));
        }
        for query in ["", "?project_id=", "?name=server"] {
            let project = if query.ends_with('=') { alpha.member.project.as_str() } else { "" };
            let page = client.get(&format!("/v2.1/servers{query}{project}")).await.expect(200);
            assert!(names(&page).is_empty(), "{query}");
        }
    }
    let told = world.compute(&beta.member).get("/v2.1/servers?all_tenants=1").await.refusal(403);
    let rule = "os_compute_api:servers:index:get_all_tenants";
    assert_eq!(told, format!("Policy doesn't allow {rule} to be performed."));
    let elsewhere = format!("/v2.1/{}/servers", alpha.member.project);
    let told = world.compute(&beta.member).get(&elsewhere).await.refusal(400);
    assert!(told.starts_with("Malformed request URL"), "{told}");
    let page = world.compute(&world.admin).get("/v2.1/servers?all_tenants=True").await.expect(200);
    assert_eq!(names(&page), ["server-1"]);
}

#[tokio::test]
async fn what_is_not_served_is_refused_in_novas_words() {
    let (world, alpha, _) = World::with_projects().await;
    let kept = keep(&world, &alpha.member, 1, &[]).await;
    let (member, path) = (world.compute(&alpha.member), format!("/v2.1/servers/{}", kept.id));
    for (method, path) in [
        ("POST", "/v2.1/servers"),
        ("DELETE", &path),
        ("PUT", &path),
        ("PATCH", &path),
        ("POST", "/v2.1/{p}/flavors"),
        ("POST", "/"),
        ("DELETE", "/v2.1"),
    ] {
        let body = member.send(method, path, Some(json!({}))).await.expect(405);
        assert_eq!(body["badMethod"]["code"], 405, "{method} {path}");
    }
    let action = format!("{path}/action");
    for (method, path) in
        [("POST", action.as_str()), ("GET", "/v2.1/os-keypairs"), ("GET", "/v2/servers")]
    {
        let body = member.send(method, path, None).await.expect(404);
        assert_eq!(body["itemNotFound"]["message"], "The resource could not be found.");
    }
    for id in ["x", "%00", "..%2f..%2fetc", &"a".repeat(5000)] {
        member.get(&format!("/v2.1/servers/{id}")).await.refusal(404);
    }
    member.get("/v2.1/servers?name=%FF").await.refusal(400);
    assert!(member.get(&path).await.status == 200);
}

#[tokio::test]
async fn versions_are_for_anybody_and_the_rest_is_not() {
    let (world, alpha, _) = World::with_projects().await;
    let nobody = world.nobody_at_compute();
    let root = nobody.get("/").await.expect(200);
    assert_eq!(root["versions"][0]["id"], "v2.1");
    assert_eq!(root["versions"][0]["links"][0]["href"], "http://vol.test:8776/v2.1/");
    let one = nobody.get("/v2.1/").await.expect(200);
    assert_eq!(
        (&one["version"]["version"], &one["version"]["min_version"]),
        (&json!("2.1"), &json!("2.1"))
    );
    let refused = nobody.get("/v2.1/servers").await;
    assert_eq!(refused.header("www-authenticate"), Some("Keystone uri=\"http://id.test:5000/v3\""));
    refused.expect(401);
    let newer = world.compute(&alpha.member).with("openstack-api-version", "compute 2.90");
    let told = newer.get("/v2.1/servers").await.refusal(406);
    assert!(told.starts_with("Version 2.90 is not supported"), "{told}");
    let latest = world.compute(&alpha.member).with("openstack-api-version", "compute latest");
    latest.get("/v2.1/servers").await.expect(200);
}

#[tokio::test]
async fn a_volume_says_whose_disk_it_is() {
    let (world, alpha, beta) = World::with_projects().await;
    let volumes = world.volume(&alpha.member);
    let (disk, free) = (volumes.make_volume("disk").await, volumes.make_volume("free").await);
    let foreign = world.volume(&beta.member).make_volume("foreign").await;
    let kept = keep(&world, &alpha.member, 1, &[&disk]).await;
    // A file that claims another project's volume shows nothing there.
    let sly = server(&alpha.member, 2, &[&foreign]);
    world.service.server_folder().put(&sly).unwrap();

    let shown = volumes.get(&format!("/v3/{{p}}/volumes/{disk}")).await.expect(200);
    let attachment = &shown["volume"]["attachments"][0];
    assert_eq!(attachment["server_id"], kept.id.to_string());
    assert_eq!(attachment["device"], "/dev/vda");
    assert_eq!((&attachment["volume_id"], &attachment["id"]), (&json!(disk), &json!(disk)));
    assert_eq!(attachment["host_name"], Value::Null);
    assert_eq!(attachment["attached_at"], "1970-01-01T00:00:01.000000");
    assert_eq!(shown["volume"]["status"], "available");
    let again = volumes.get(&format!("/v3/{{p}}/volumes/{disk}")).await.expect(200);
    assert_eq!(&again["volume"]["attachments"][0]["attachment_id"], &attachment["attachment_id"]);

    let listed = volumes.get("/v3/{p}/volumes/detail").await.expect(200);
    let of = |id: &str| -> Value {
        let all = listed["volumes"].as_array().unwrap();
        all.iter().find(|volume| volume["id"] == id).unwrap()["attachments"].clone()
    };
    assert_eq!(of(&disk), json!([attachment]));
    assert_eq!(of(&free), json!([]));
    let changed = json!({"volume": {"name": "renamed"}});
    let changed = volumes.put(&format!("/v3/{{p}}/volumes/{disk}"), changed).await.expect(200);
    assert_eq!(&changed["volume"]["attachments"][0], attachment);
    let elsewhere = world.volume(&beta.member);
    let shown = elsewhere.get(&format!("/v3/{{p}}/volumes/{foreign}")).await.expect(200);
    assert_eq!(shown["volume"]["attachments"], json!([]));
}

#[tokio::test]
async fn a_signed_client_sees_the_servers_of_its_project() {
    let (world, alpha, beta) = World::with_projects().await;
    let kept = keep(&world, &alpha.member, 1, &[]).await;
    let own = format!("/v2.1/servers/{}", kept.id);
    for form in Form::ALL {
        let hand = world.key(&alpha.member, form).await;
        let client = world.nobody_at_compute().signed(&hand, &alpha.member.project);
        let shown = client.get(&format!("/v2.1/{{p}}/servers/{}", kept.id)).await.expect(200);
        assert_eq!(shown["server"]["name"], "server-1");
        let named = client.with("x-project-id", &alpha.member.project);
        assert_eq!(named.get(&own).await.status, 200);
        // The role is looked up in the project that is named, and nothing of another is shown.
        let elsewhere = client.with("x-project-id", &beta.member.project);
        assert_eq!(elsewhere.get(&own).await.status, 404);
        assert_eq!(client.with("x-project-id", &world.admin.project).get(&own).await.status, 403);
        // A token goes before a signature.
        assert_eq!(named.with("x-auth-token", "none").get(&own).await.status, 401);
        assert_eq!(named.send("POST", "/v2.1/servers", Some(json!({}))).await.status, 405);
        let at = world.service.now();
        let mut headers = vec![("host".to_owned(), "vol.test:8776".to_owned())];
        hand.sign(("GET", "/v2.1/flavors"), &mut headers, b"", at);
        let stolen = headers
            .drain(1..)
            .fold(world.nobody_at_compute(), |client, (name, value)| client.with(&name, &value));
        assert_eq!(stolen.get(&own).await.status, 401);
        let named = stolen.with("x-project-id", &alpha.member.project);
        assert_eq!(named.get("/v2.1/flavors").await.status, 200);
    }
    assert_eq!(world.nobody_at_compute().get(&own).await.status, 401);
}

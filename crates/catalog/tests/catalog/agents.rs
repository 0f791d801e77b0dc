//! Agents and policies of whole domains, kept whole.

use strongroom_model::agent::{Agent, AgentKind, AgentPath, AgentStatus};
use strongroom_model::id::{
    AgentId, AgentPathId, DomainId, OrganizationPolicyId, PolicyId, ProjectId,
};
use strongroom_model::organization_policy::{Deployment, OrganizationPolicy};
use strongroom_model::policy::PolicyOperation;

use crate::support::{Outcome, World, at, on_both, project};

on_both!(agents_are_kept_whole_and_by_project, policies_of_domains_are_kept_with_their_deployments);

fn agent(world: &World, owner: &str, created_at: i64) -> Agent {
    let path = AgentPath {
        id: AgentPathId::random(&world.chance),
        directory: "C:\\data".to_owned(),
        excluded: vec!["C:\\data\\x".to_owned()],
    };
    Agent {
        id: AgentId::random(&world.chance),
        project_id: project(owner),
        kind: AgentKind::Native,
        version: Some("1.2.3".to_owned()),
        host_ip: "10.0.0.7".to_owned(),
        host_name: "files".to_owned(),
        host_nickname: None,
        host_os: "Linux".to_owned(),
        status: AgentStatus::Normal,
        paths: vec![path],
        created_at: at(created_at),
        updated_at: None,
        last_active_at: at(created_at),
    }
}

async fn put(world: &World, agent: &Agent) {
    let work = world.catalog.transact(|tx| Box::pin(async move { tx.agents().put(agent).await }));
    work.await.unwrap();
}

async fn agents(world: &World, owner: &ProjectId) -> Vec<Agent> {
    let work = world.catalog.read(|tx| Box::pin(async move { tx.agents().list(owner).await }));
    work.await.unwrap()
}

async fn agents_are_kept_whole_and_by_project(world: &World) {
    let (p, q) = (project("p"), project("q"));
    let older = agent(world, "p", 1);
    let newer = agent(world, "p", 2);
    // The same id in another project is another agent.
    let foreign = Agent { project_id: q.clone(), ..older.clone() };
    for agent in [&older, &newer, &foreign] {
        put(world, agent).await;
    }
    let changed = Agent {
        status: AgentStatus::Uninstall,
        host_nickname: Some("shelf".to_owned()),
        version: None,
        paths: Vec::new(),
        updated_at: Some(at(5)),
        ..older.clone()
    };
    put(world, &changed).await;
    assert_eq!(agents(world, &p).await, [newer.clone(), changed.clone()]);
    assert_eq!(agents(world, &q).await, [foreign]);
    let (p, id) = (&p, older.id);
    let work = world.catalog.transact(|tx| {
        Box::pin(async move {
            let found = tx.agents().find(p, id).await?;
            let removed = (tx.agents().delete(p, id).await?, tx.agents().delete(p, id).await?);
            Outcome::Ok((found, removed, tx.agents().clear(p).await?))
        })
    });
    assert_eq!(work.await.unwrap(), (Some(changed), (true, false), 1));
    assert!(agents(world, p).await.is_empty());
    assert_eq!(agents(world, &q).await.len(), 1);
}

fn policy(world: &World, domain: &DomainId, created_at: i64) -> OrganizationPolicy {
    let definition = serde_json::json!({"max_backups": -1, "timezone": "UTC+08:00"});
    OrganizationPolicy {
        id: OrganizationPolicyId::random(&world.chance),
        domain_id: domain.clone(),
        name: "all".to_owned(),
        description: String::new(),
        effective_scope: "domain".to_owned(),
        operation: PolicyOperation::Replication,
        policy_name: "nightly".to_owned(),
        is_policy_enabled: true,
        definition: definition.as_object().unwrap().clone(),
        patterns: vec!["FREQ=DAILY;INTERVAL=1;BYHOUR=1;BYMINUTE=0".to_owned()],
        start_window_minutes: Some(60),
        created_at: at(created_at),
    }
}

async fn policies_of_domains_are_kept_with_their_deployments(world: &World) {
    let domain = &DomainId::parse("d").unwrap();
    let other = &DomainId::parse("e").unwrap();
    let (first, second) = (&policy(world, domain, 1), &policy(world, domain, 2));
    let deployment = |owner: &str| Deployment {
        organization_policy_id: first.id,
        project_id: project(owner),
        policy_id: PolicyId::random(&world.chance),
    };
    let (in_p, in_q) = (&deployment("p"), &deployment("q"));
    let changed = &OrganizationPolicy {
        name: "none".to_owned(),
        is_policy_enabled: false,
        start_window_minutes: None,
        ..first.clone()
    };
    let work = world.catalog.transact(|tx| {
        Box::pin(async move {
            for policy in [first, second] {
                tx.organization_policies().insert(policy).await?;
            }
            for deployment in [in_q, in_p] {
                tx.organization_policies().deploy(deployment).await?;
            }
            assert!(tx.organization_policies().update(changed).await?);
            let found = tx.organization_policies().find(domain, first.id).await?;
            let hidden = tx.organization_policies().find(other, first.id).await?;
            assert_eq!((found.as_ref(), hidden), (Some(changed), None));
            let all = tx.organization_policies().list(domain).await?;
            assert_eq!(all, [second.clone(), changed.clone()]);
            let deployed = tx.organization_policies().deployments(first.id).await?;
            assert_eq!(deployed, [in_p.clone(), in_q.clone()]);
            assert_eq!(tx.organization_policies().undeploy(&in_p.project_id).await?, 1);
            let deployed = tx.organization_policies().deployments(first.id).await?;
            assert_eq!(deployed, std::slice::from_ref(in_q));
            assert!(tx.organization_policies().delete(first.id).await?);
            assert!(tx.organization_policies().deployments(first.id).await?.is_empty());
            tx.organization_policies().delete(first.id).await
        })
    });
    assert!(!work.await.unwrap());
}

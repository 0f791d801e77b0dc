//! The same rules as in `rules`, on PostgreSQL: the world looks at the name of its binary.

#[path = "rules/main.rs"]
mod rules;

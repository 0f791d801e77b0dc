# Short names for what one types often; scripts/test needs none of this.

# Lists the recipes.
default:
    @just --list

# Everything, as CI runs it.
test:
    scripts/test

# Lints and Rust tests only.
fast:
    scripts/test fast

# Contract tests with the real clients; arguments go to pytest.
contract *args:
    scripts/test contract {{ args }}

# Rust tests with cargo-nextest, where it is installed.
nextest *args:
    cargo nextest run --workspace {{ args }}
    cargo test --workspace --doc

# Formats all Rust code.
fmt:
    cargo fmt --all

# Advisories, licences, sources and bans, with cargo-deny, where it is installed.
deny:
    cargo deny check

# The API documentation of our own crates.
doc:
    cargo doc --workspace --no-deps

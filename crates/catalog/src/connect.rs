//! Opening a catalogue, and the two ways into it: `transact` and `read`.

use std::sync::{Arc, Once};

use sqlx::any::AnyPoolOptions;
use sqlx::{Any, Executor, Pool};
use tokio::sync::Mutex;

use crate::error::{Error, Result, is_clash};
use crate::migrate;
use crate::sql::{Dialect, Session};
use crate::transaction::{BoxFuture, Transaction};

/// Connections of one node to PostgreSQL, and readers of one node on SQLite.
const CONNECTIONS_MAX: u32 = 8;

/// A database that knows what exists and in which state. Cheap to clone; clones share connections.
#[derive(Debug, Clone)]
pub struct Catalog {
    dialect: Dialect,
    /// On SQLite a single connection: writers of this process queue for it in turn, which is fairer
    /// and cheaper than letting them collide at the file's lock.
    writers: Pool<Any>,
    /// On PostgreSQL the same pool as `writers`.
    readers: Pool<Any>,
    /// Held while a transaction that has clashed is tried again, so that those of one process that
    /// want the same rows line up instead of clashing over and over.
    retries: Arc<Mutex<()>>,
}

impl Catalog {
    /// Opens `sqlite:///path/file.db`, which makes the file if need be, or `postgres://…`, and
    /// brings the schema up to date. Several nodes may do so at once.
    ///
    /// # Errors
    /// [`Error::UnknownScheme`]; [`Error::NewerSchema`] if a newer release wrote the database;
    /// [`Error::Database`] if it cannot be reached.
    pub async fn connect(url: &str) -> Result<Self> {
        let dialect = Dialect::of(url)?;
        let writers = Self::open_writers(url, dialect).await?;
        migrate::migrate(&writers, dialect).await?;
        let readers = match dialect {
            Dialect::Sqlite => {
                let only_reads = dialect.on_connect_reader();
                open(url, dialect, CONNECTIONS_MAX, only_reads).await?
            }
            Dialect::Postgres => writers.clone(),
        };
        Ok(Self { dialect, writers, readers, retries: Arc::new(Mutex::new(())) })
    }

    /// Runs `work` in a transaction that commits all of its changes if it returns `Ok`, and none
    /// otherwise. The only place where a transaction that writes begins.
    ///
    /// Transactions are serializable: what one reads cannot change under it. When others get in the
    /// way, everything is rolled back and `work` runs again from the start, so it must have no
    /// effect but on the transaction; whatever error it made of the clash is dropped. It must not
    /// begin another transaction that writes: on SQLite that one would wait for this one to end.
    ///
    /// # Errors
    /// What `work` returns; [`Error::Contended`] when it never got through; [`Error::Spoiled`] when
    /// it returned `Ok` although a statement had failed; [`Error::Database`].
    pub async fn transact<'env, T, E, F>(&self, mut work: F) -> Result<T, E>
    where
        F: for<'t> FnMut(&'t mut Transaction<'env>) -> BoxFuture<'t, Result<T, E>> + Send,
        T: Send,
        E: From<Error> + Send,
    {
        let mut turn = None;
        let attempts = self.dialect.attempts_max();
        for _ in 0..attempts {
            match self.attempt(&mut work).await {
                Attempt::Done(result) => return result,
                Attempt::Clashed if turn.is_none() => turn = Some(self.retries.lock().await),
                Attempt::Clashed => tokio::task::yield_now().await,
            }
        }
        Err(E::from(Error::Contended { attempts }))
    }

    /// Runs `work` against one consistent state of the database, without a lock that a writer would
    /// wait for. A write inside fails.
    ///
    /// # Errors
    /// What `work` returns; [`Error::Database`].
    pub async fn read<'env, T, E, F>(&self, mut work: F) -> Result<T, E>
    where
        F: for<'t> FnMut(&'t mut Transaction<'env>) -> BoxFuture<'t, Result<T, E>> + Send,
        T: Send,
        E: From<Error> + Send,
    {
        let begun = self.readers.begin_with(self.dialect.begin_read()).await;
        let session = Session::new(begun.map_err(Error::Database)?);
        let mut transaction = Transaction::new(session);
        let result = work(&mut transaction).await;
        transaction.session.roll_back().await?;
        result
    }

    /// Opens the connections that write, on a database in whatever state.
    pub(crate) async fn open_writers(url: &str, dialect: Dialect) -> Result<Pool<Any>> {
        static DRIVERS: Once = Once::new();
        DRIVERS.call_once(sqlx::any::install_default_drivers);
        match dialect {
            Dialect::Sqlite => open(&creating(url), dialect, 1, &[]).await,
            Dialect::Postgres => open(url, dialect, CONNECTIONS_MAX, &[]).await,
        }
    }

    /// Closes every connection; running transactions finish first.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writers.close().await;
    }

    async fn attempt<'env, T, E, F>(&self, work: &mut F) -> Attempt<T, E>
    where
        F: for<'t> FnMut(&'t mut Transaction<'env>) -> BoxFuture<'t, Result<T, E>> + Send,
        T: Send,
        E: From<Error> + Send,
    {
        let session = match self.writers.begin_with(self.dialect.begin_write()).await {
            Ok(begun) => Session::new(begun),
            Err(error) if is_clash(&error) => return Attempt::Clashed,
            Err(error) => return Attempt::Done(Err(Error::Database(error).into())),
        };
        let mut transaction = Transaction::new(session);
        let result = work(&mut transaction).await;
        let session = transaction.session;
        if session.has_clashed {
            return match session.roll_back().await {
                Ok(()) => Attempt::Clashed,
                Err(error) => Attempt::Done(Err(error.into())),
            };
        }
        Attempt::Done(match result {
            Ok(_) if session.has_failed => {
                session.roll_back().await.and(Err(Error::Spoiled)).map_err(E::from)
            }
            Ok(value) => match session.commit().await {
                Ok(()) => Ok(value),
                Err(error) if error.is_clash() => return Attempt::Clashed,
                Err(error) => Err(error.into()),
            },
            Err(error) => {
                // The work's error says more; a connection that is lost rolls back by itself.
                if let Err(lost) = session.roll_back().await {
                    tracing::debug!(error = ?lost, "could not roll back");
                }
                Err(error)
            }
        })
    }
}

/// How one attempt at a transaction ended.
enum Attempt<T, E> {
    /// For good.
    Done(Result<T, E>),
    /// Another transaction got in the way.
    Clashed,
}

/// The address with the wish that a missing file be made.
fn creating(url: &str) -> String {
    let joint = if url.contains('?') { '&' } else { '?' };
    format!("{url}{joint}mode=rwc")
}

async fn open(
    url: &str,
    dialect: Dialect,
    connections_max: u32,
    besides: &'static [&'static str],
) -> Result<Pool<Any>> {
    AnyPoolOptions::new()
        .max_connections(connections_max)
        .after_connect(move |connection, _| {
            Box::pin(async move {
                for statement in dialect.on_connect().iter().chain(besides) {
                    connection.execute(*statement).await?;
                }
                Ok(())
            })
        })
        .connect(url)
        .await
        .map_err(Error::Database)
}

#[cfg(test)]
mod tests {
    use sqlx::Row;
    use strongroom_testkit::database::Database;

    use super::*;

    #[tokio::test]
    async fn sqlite_keeps_what_it_committed_and_checks_references() {
        let database = Database::sqlite();
        let catalog = Catalog::connect(database.url()).await.unwrap();
        let pragmas = [
            ("PRAGMA synchronous", 2),
            ("PRAGMA foreign_keys", 1),
            ("PRAGMA busy_timeout", 10_000),
        ];
        for (pragma, expected) in pragmas {
            for pool in [&catalog.writers, &catalog.readers] {
                let row = sqlx::query(pragma).fetch_one(pool).await.unwrap();
                assert_eq!(row.get::<i64, _>(0), expected, "{pragma}");
            }
        }
        let mode = sqlx::query("PRAGMA journal_mode");
        let row = mode.fetch_one(&catalog.readers).await.unwrap();
        assert_eq!(row.get::<String, _>(0), "wal");
    }

    async fn put(catalog: &Catalog) -> Result<()> {
        let work = catalog.transact(|tx| {
            Box::pin(async move {
                tx.settings().get("a").await?;
                tx.settings().put("a", "1").await
            })
        });
        work.await
    }

    #[tokio::test]
    async fn a_held_lock_on_sqlite_ends_as_contended() {
        let database = Database::sqlite();
        let catalog = Catalog::connect(database.url()).await.unwrap();
        let other = Catalog::connect(database.url()).await.unwrap();
        // The pool's only connection does not wait, so that the test need not.
        let impatient = sqlx::query("PRAGMA busy_timeout = 0");
        impatient.execute(&catalog.writers).await.unwrap();
        let holder = other.writers.begin_with("BEGIN IMMEDIATE").await.unwrap();
        let error = put(&catalog).await.unwrap_err();
        assert!(matches!(error, Error::Contended { attempts: 3 }), "{error:?}");
        assert!(error.is_transient());
        holder.rollback().await.unwrap();
        put(&catalog).await.unwrap();
    }

    #[tokio::test]
    async fn an_ever_clashing_transaction_on_postgres_ends_as_contended() {
        let database = Database::postgres();
        let catalog = Catalog::connect(database.url()).await.unwrap();
        let other = &Catalog::connect(database.url()).await.unwrap();
        put(other).await.unwrap();
        let work = catalog.transact(|tx| {
            Box::pin(async move {
                tx.settings().get("a").await?;
                put(other).await?;
                tx.settings().put("a", "2").await
            })
        });
        let error = work.await.unwrap_err();
        assert!(matches!(error, Error::Contended { attempts: 40 }), "{error:?}");
        put(&catalog).await.unwrap();
    }

    #[tokio::test]
    async fn the_usual_lists_are_read_from_an_index() {
        let database = Database::sqlite();
        let catalog = Catalog::connect(database.url()).await.unwrap();
        let cases = [
            ("WHERE project_id = $1", "backup_order"),
            ("WHERE status = $1 AND project_id = $2", "backup_status"),
            ("WHERE volume_id = $1 AND project_id = $2", "backup_volume"),
            ("WHERE project_id = $1 AND (created_at, id) < ($2, $3)", "backup_order"),
            ("", "backup_order_all"),
        ];
        for (clause, index) in cases {
            let sql = format!(
                "EXPLAIN QUERY PLAN SELECT * FROM backup {clause} \
                 ORDER BY created_at DESC, id DESC LIMIT 10"
            );
            let query = sqlx::query(sqlx::AssertSqlSafe(sql));
            let rows = query.fetch_all(&catalog.readers).await.unwrap();
            let plan: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
            let plan = plan.join("; ");
            assert!(plan.contains(&format!("INDEX {index}")), "{clause}: {plan}");
            assert!(!plan.contains("TEMP B-TREE"), "{clause}: {plan}");
        }
    }
}

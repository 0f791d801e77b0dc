//! Races `strongroom store` against `cat` of the same image and against the sum of its parts.
//!
//! `cargo bench -p strongroom --bench race` makes an image of 1 GiB from files of this machine and
//! runs five rounds, everything in turn, so that noise hits all alike. It prints medians and
//! ratios; absolute times say little on a shared machine. CPU time is that of the whole process.

#![allow(clippy::print_stdout, reason = "a benchmark prints")]

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

/// Size of the image, and the part of it that holds data.
const IMAGE_BYTES: u64 = 1 << 30;
const DATA_BYTES: u64 = IMAGE_BYTES / 10 * 7;

/// The engine's grid.
const CHUNK_BYTES: usize = 256 << 10;

const ROUNDS: usize = 5;

/// Ticks of a second in `/proc/self/stat`, fixed by Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// One measured piece of work, in seconds.
#[derive(Debug, Clone, Copy, Default)]
struct Cost {
    wall: f64,
    cpu: f64,
}

fn main() -> io::Result<()> {
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("race");
    drop(fs::remove_dir_all(&dir));
    fs::create_dir_all(&dir)?;
    let image = dir.join("image.raw");
    let data = make_image(&image)?;
    println!("image: 1 GiB, {} MiB of data; {ROUNDS} rounds, medians\n", data >> 20);
    let mut rows: Vec<(&str, Vec<Cost>)> = Vec::new();
    for round in 0..ROUNDS {
        let store = dir.join(format!("store-{round}"));
        let back = dir.join("back.raw");
        let mut note = |name, cost| match rows.iter_mut().find(|(row, _)| *row == name) {
            Some((_, costs)) => costs.push(cost),
            None => rows.push((name, vec![cost])),
        };
        note("cat", run(Command::new("cat").arg(&image))?);
        for (part, cost) in parts(&image, &dir.join("parts.bin"))? {
            note(part, cost);
        }
        note("backup, full", run(store_command("backup", &store, &dir).arg(&image))?);
        note("backup, unchanged", run(store_command("backup", &store, &dir).arg(&image))?);
        note("restore", run(store_command("restore", &store, &dir).arg(&back))?);
        note("verify", run(&mut verify_command(&store, &dir))?);
        check_equal(&image, &back)?;
        fs::remove_file(&back)?;
        fs::remove_dir_all(&store)?;
    }
    report(&rows);
    fs::remove_dir_all(&dir)
}

fn report(rows: &[(&str, Vec<Cost>)]) {
    let median = |name: &str| -> Cost {
        let costs = rows.iter().find(|(row, _)| *row == name).map_or(&[][..], |(_, costs)| costs);
        let middle = |mut values: Vec<f64>| {
            values.sort_by(f64::total_cmp);
            values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
        };
        Cost {
            wall: middle(costs.iter().map(|cost| cost.wall).collect()),
            cpu: middle(costs.iter().map(|cost| cost.cpu).collect()),
        }
    };
    let cat = median("cat");
    let sum: f64 = PARTS.iter().map(|part| median(part).cpu).sum();
    println!(
        "{:<20} {:>8} {:>8} {:>12} {:>14}",
        "", "wall s", "CPU s", "wall ÷ cat", "CPU ÷ parts"
    );
    for (name, _) in rows {
        let cost = median(name);
        println!(
            "{name:<20} {:>8.2} {:>8.2} {:>12.1} {:>14.2}",
            cost.wall,
            cost.cpu,
            cost.wall / cat.wall,
            cost.cpu / sum
        );
    }
    println!("{:<20} {:>8} {sum:>8.2} {:>12} {:>14.2}", "sum of the parts", "", "", 1.0);
}

fn store_command(verb: &str, store: &Path, dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_strongroom"));
    command.args(["store", verb, "--name", "race", "--store"]).arg(store);
    command.arg("--key").arg(dir.join("key"));
    command
}

fn verify_command(store: &Path, dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_strongroom"));
    command.args(["store", "verify", "--store"]).arg(store).arg("--key").arg(dir.join("key"));
    command
}

/// Runs a command to its end.
fn run(command: &mut Command) -> io::Result<Cost> {
    let before = cpu_seconds(2)?;
    let started = Instant::now();
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    let wall = started.elapsed().as_secs_f64();
    if !status.success() {
        return Err(io::Error::other(format!("{command:?} ended with {status}")));
    }
    Ok(Cost { wall, cpu: cpu_seconds(2)? - before })
}

/// CPU seconds of this process (`first` 0) or of its ended children (`first` 2): user and system.
fn cpu_seconds(first: usize) -> io::Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit(") ").next().unwrap_or_default();
    let fields: Vec<&str> = after_name.split(' ').collect();
    let ticks = |index: usize| fields.get(index).and_then(|text| text.parse::<f64>().ok());
    let (user, system) = (ticks(11 + first).unwrap_or(0.0), ticks(12 + first).unwrap_or(0.0));
    Ok((user + system) / TICKS_PER_SECOND)
}

/// Names of the parts, in order.
const PARTS: [&str; 5] = ["read", "hash", "compress", "seal", "write"];

/// Each part of a backup alone, on one thread, over the data of the image.
fn parts(image: &Path, out: &Path) -> io::Result<Vec<(&'static str, Cost)>> {
    let mut data = vec![0; usize::try_from(DATA_BYTES).map_err(io::Error::other)?];
    let read = timed(|| File::open(image)?.read_exact(&mut data))?;
    let hash = timed(|| {
        let key = [7; 32];
        for chunk in data.chunks(CHUNK_BYTES) {
            std::hint::black_box(blake3::keyed_hash(&key, chunk));
        }
        Ok(())
    })?;
    let mut compressor = zstd::bulk::Compressor::new(1)?;
    let mut packed = Vec::new();
    let compress = timed(|| {
        for chunk in data.chunks(CHUNK_BYTES) {
            packed.push(compressor.compress(chunk)?);
        }
        Ok(())
    })?;
    let key = UnboundKey::new(&AES_256_GCM, &[7; 32]).map_err(|_| io::Error::other("key"))?;
    let key = LessSafeKey::new(key);
    let seal = timed(|| {
        for (number, chunk) in packed.iter_mut().enumerate() {
            let mut nonce = [0; 12];
            nonce[..8].copy_from_slice(&(number as u64).to_le_bytes());
            key.seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from([0; 64]),
                chunk,
            )
            .map_err(|_| io::Error::other("seal"))?;
        }
        Ok(())
    })?;
    let write = timed(|| {
        let mut file = File::create(out)?;
        for chunk in &packed {
            file.write_all(chunk)?;
        }
        file.sync_all()
    })?;
    fs::remove_file(out)?;
    Ok(PARTS.into_iter().zip([read, hash, compress, seal, write]).collect())
}

fn timed(work: impl FnOnce() -> io::Result<()>) -> io::Result<Cost> {
    let before = cpu_seconds(0)?;
    let started = Instant::now();
    work()?;
    let wall = started.elapsed().as_secs_f64();
    Ok(Cost { wall, cpu: cpu_seconds(0)? - before })
}

/// Files of this machine, each at a multiple of 4 KiB, followed by a hole. Returns bytes of data.
fn make_image(path: &Path) -> io::Result<u64> {
    let image = OpenOptions::new().write(true).create(true).truncate(true).open(path)?;
    image.set_len(IMAGE_BYTES)?;
    let mut pending: Vec<PathBuf> = ["/usr/share", "/usr/bin", "/usr/lib"].map(Into::into).into();
    let mut at = 0;
    while let Some(next) = pending.pop() {
        let Ok(meta) = next.symlink_metadata() else { continue };
        if meta.is_dir() {
            let mut inside: Vec<_> =
                fs::read_dir(&next).into_iter().flatten().flatten().map(|e| e.path()).collect();
            inside.sort();
            pending.extend(inside);
        } else if meta.is_file() && meta.len() > 0 && at < DATA_BYTES {
            let Ok(mut content) = fs::read(&next) else { continue };
            content.truncate(usize::try_from(DATA_BYTES - at).map_err(io::Error::other)?);
            image.write_all_at(&content, at)?;
            at = (at + content.len() as u64).next_multiple_of(4096).min(DATA_BYTES);
        }
    }
    image.sync_all()?;
    Ok(at)
}

fn check_equal(one: &Path, other: &Path) -> io::Result<()> {
    let status = Command::new("cmp").arg(one).arg(other).status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other("the restored image differs")) }
}

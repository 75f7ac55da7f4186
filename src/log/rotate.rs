//! The log file, which is renamed when it is full.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// The most old files that are kept, as in spdlog.
const MAX_FILES: usize = 200_000;

/// A file of limited size. A line that would make it too large goes into a new file; `log.txt`
/// is then called `log.1.txt`, what was `log.1.txt` is `log.2.txt`, and the oldest is gone.
#[derive(Debug)]
pub(super) struct RotatingFile {
    path: PathBuf,
    /// Bytes; 0: no limit.
    max_size: u64,
    max_files: usize,
    /// `None` where it could not be opened again; the next line tries once more.
    file: Option<BufWriter<File>>,
    /// Bytes in the file, with those that are not flushed.
    size: u64,
    /// Devices and pipes are neither renamed nor cut.
    regular: bool,
}

impl RotatingFile {
    /// Opens a file to append to it, and creates it and its folders where they are missing.
    pub(super) fn open(path: PathBuf, max_size: u64, max_files: usize) -> io::Result<Self> {
        let mut this = Self {
            path,
            max_size,
            max_files: max_files.min(MAX_FILES),
            file: None,
            size: 0,
            regular: false,
        };
        this.file()?;
        Ok(this)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Appends a line, which ends with a newline. After an error the next line may work again.
    pub(super) fn write(&mut self, line: &[u8]) -> io::Result<()> {
        self.file()?;
        let size = self.size.saturating_add(line.len() as u64);
        let full = self.max_size > 0 && size > self.max_size;
        let rotated = if full && self.regular && self.size > 0 {
            // A full disk must not push the old files out for empty ones: no flush, no rotation.
            self.flush()?;
            self.rotate()
        } else {
            Ok(())
        };
        self.file()?.write_all(line)?;
        self.size += line.len() as u64;
        rotated
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), Write::flush)
    }

    fn file(&mut self) -> io::Result<&mut BufWriter<File>> {
        if self.file.is_none() {
            if let Some(folder) = self.path.parent() {
                fs::create_dir_all(folder)?;
            }
            let file = OpenOptions::new()
                .append(true)
                .create(true)
                // A pipe that nobody reads must not hold the driver up, and a terminal must not
                // become the host's.
                .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
                .open(&self.path)?;
            let metadata = file.metadata()?;
            self.size = metadata.len();
            self.regular = metadata.is_file();
            self.file = Some(BufWriter::new(file));
        }
        self.file
            .as_mut()
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Renames the files and starts an empty one. Where they cannot be renamed the file is cut
    /// all the same, since it must not grow over its limit.
    fn rotate(&mut self) -> io::Result<()> {
        self.file = None;
        let renamed = (1..=self.max_files).rev().try_for_each(|number| {
            match fs::rename(
                numbered(&self.path, number - 1),
                numbered(&self.path, number),
            ) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            }
        });
        self.file()?.get_ref().set_len(0)?;
        self.size = 0;
        renamed
    }
}

/// The name of an old file: the number goes before the extension.
fn numbered(path: &Path, number: usize) -> PathBuf {
    if number == 0 {
        return path.to_owned();
    }
    let extension = path.extension().filter(|extension| !extension.is_empty());
    let base = match extension {
        Some(_) => path.file_stem(),
        None => path.file_name(),
    };
    let mut name = base.map(OsString::from).unwrap_or_default();
    name.push(format!(".{number}"));
    if let Some(extension) = extension {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use std::collections::BTreeMap;

    use super::*;

    /// Name and text of each file.
    fn files(folder: &Path) -> BTreeMap<String, String> {
        let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
        entries
            .filter(|entry| entry.path().is_file())
            .map(|entry| {
                (
                    entry.file_name().into_string().unwrap(),
                    fs::read_to_string(entry.path()).unwrap(),
                )
            })
            .collect()
    }

    fn expect(folder: &Path, expected: &[(&str, &str)]) {
        let expected = expected
            .iter()
            .map(|&(name, text)| (name.to_owned(), text.to_owned()))
            .collect();
        assert_eq!(files(folder), expected);
    }

    fn write(file: &mut RotatingFile, lines: &[&str]) {
        for line in lines {
            file.write(line.as_bytes()).unwrap();
        }
        file.flush().unwrap();
    }

    #[test]
    fn the_number_goes_before_the_extension() {
        for (path, expected) in [
            ("log.txt", "log.3.txt"),
            ("/a/b/log.txt", "/a/b/log.3.txt"),
            ("log", "log.3"),
            (".log", ".log.3"),
            ("/a/.log", "/a/.log.3"),
            ("/a/.log.txt", "/a/.log.3.txt"),
            ("/etc/rc.d/log", "/etc/rc.d/log.3"),
            ("log.tar.gz", "log.tar.3.gz"),
            ("log.", "log..3"),
        ] {
            assert_eq!(numbered(Path::new(path), 3), Path::new(expected), "{path}");
            assert_eq!(numbered(Path::new(path), 0), Path::new(path));
        }
    }

    #[test]
    fn a_full_file_is_renamed_and_the_oldest_goes() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = RotatingFile::open(folder.path().join("log.txt"), 8, 2).unwrap();
        write(&mut file, &["aaa\n", "bbb\n"]);
        expect(folder.path(), &[("log.txt", "aaa\nbbb\n")]);
        write(&mut file, &["c\n"]);
        expect(
            folder.path(),
            &[("log.1.txt", "aaa\nbbb\n"), ("log.txt", "c\n")],
        );
        write(&mut file, &["ddddddd\n", "eeeeeee\n"]);
        expect(
            folder.path(),
            &[
                ("log.1.txt", "ddddddd\n"),
                ("log.2.txt", "c\n"),
                ("log.txt", "eeeeeee\n"),
            ],
        );
    }

    #[test]
    fn a_line_over_the_limit_is_kept_whole_and_an_empty_file_is_not_renamed() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = RotatingFile::open(folder.path().join("log"), 4, 3).unwrap();
        write(&mut file, &["123456789\n"]);
        expect(folder.path(), &[("log", "123456789\n")]);
        write(&mut file, &["x\n"]);
        expect(folder.path(), &[("log", "x\n"), ("log.1", "123456789\n")]);
    }

    #[test]
    fn without_old_files_the_file_is_cut() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = RotatingFile::open(folder.path().join("log.txt"), 5, 0).unwrap();
        write(&mut file, &["aaa\n", "bbb\n"]);
        expect(folder.path(), &[("log.txt", "bbb\n")]);
    }

    #[test]
    fn without_a_limit_the_file_grows() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = RotatingFile::open(folder.path().join("log.txt"), 0, 7).unwrap();
        write(&mut file, &["aaa\n", "bbb\n"]);
        expect(folder.path(), &[("log.txt", "aaa\nbbb\n")]);
    }

    #[test]
    fn what_the_file_has_counts_and_missing_folders_are_made() {
        let folder = tempfile::tempdir().unwrap();
        let sub = folder.path().join("a.b/c");
        for line in ["aaa\n", "bbb\n", "ccc\n"] {
            let mut file = RotatingFile::open(sub.join("log"), 8, 7).unwrap();
            write(&mut file, &[line]);
        }
        expect(&sub, &[("log", "ccc\n"), ("log.1", "aaa\nbbb\n")]);
    }

    #[test]
    fn a_gap_between_the_old_files_does_no_harm() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("log.2"), "old").unwrap();
        let mut file = RotatingFile::open(folder.path().join("log"), 4, usize::MAX).unwrap();
        write(&mut file, &["aaa\n", "bbb\n"]);
        expect(
            folder.path(),
            &[("log", "bbb\n"), ("log.1", "aaa\n"), ("log.3", "old")],
        );
    }

    #[test]
    fn a_file_that_cannot_be_renamed_is_reported_and_cut() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("log.1/sub")).unwrap();
        let mut file = RotatingFile::open(folder.path().join("log"), 4, 1).unwrap();
        file.write(b"aaa\n").unwrap();
        assert!(file.write(b"bbb\n").is_err());
        file.flush().unwrap();
        expect(folder.path(), &[("log", "bbb\n")]);
    }

    #[test]
    fn a_folder_that_comes_back_is_written_to_again() {
        let folder = tempfile::tempdir().unwrap();
        let sub = folder.path().join("sub");
        let mut file = RotatingFile::open(sub.join("log"), 4, 1).unwrap();
        file.write(b"aaa\n").unwrap();
        fs::remove_dir_all(&sub).unwrap();
        fs::write(&sub, "in the way").unwrap();
        assert!(file.write(b"bbb\n").is_err());
        assert!(file.write(b"ccc\n").is_err());
        fs::remove_file(&sub).unwrap();
        write(&mut file, &["ddd\n"]);
        expect(&sub, &[("log", "ddd\n")]);
    }

    #[test]
    fn a_device_is_never_renamed_and_its_errors_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("full");
        std::os::unix::fs::symlink("/dev/full", &link).unwrap();
        let mut file = RotatingFile::open(link.clone(), 4, 2).unwrap();
        file.write(b"aaa\n").unwrap();
        assert!(file.flush().is_err());
        file.write(b"bbb\n").unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_pipe_that_nobody_reads_cannot_be_opened_but_does_not_block() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        assert!(RotatingFile::open(pipe, 100, 1).is_err());
    }
}

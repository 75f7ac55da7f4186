//! The log file and its rotation.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// The largest number of old files that are kept, as in spdlog.
const MAX_FILES: usize = 200_000;

/// A file of limited size. Before a line that would make it too large, `log.txt` is renamed to
/// `log.1.txt`, `log.1.txt` to `log.2.txt` and so on; the oldest is deleted.
#[derive(Debug)]
pub(super) struct RotatingFile {
    path: PathBuf,
    /// The largest size in bytes, 0 for no limit.
    max_size: u64,
    max_files: usize,
    /// `None` if it could not be opened. The next line tries once more.
    file: Option<BufWriter<File>>,
    /// Device and inode of the file.
    id: (u64, u64),
    /// The size in bytes, with those that are not flushed yet.
    size: u64,
    /// False for devices and pipes, which are neither renamed nor cut.
    regular: bool,
}

/// Why a line was not written as it should be.
#[derive(Debug)]
pub(super) enum Failure {
    /// It is lost.
    NotWritten(io::Error),
    /// It was written, but the file was emptied before.
    NotRotated(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::NotWritten(error)
    }
}

impl RotatingFile {
    /// Makes a file to append to, which is not opened yet.
    pub(super) fn new(path: PathBuf, max_size: u64, max_files: usize) -> Self {
        Self {
            path,
            max_size,
            max_files: max_files.min(MAX_FILES),
            file: None,
            id: (0, 0),
            size: 0,
            regular: false,
        }
    }

    /// Opens the file if it is not open. Creates it and its folders if they are missing. Fails if
    /// the system refuses that.
    pub(super) fn open(&mut self) -> io::Result<()> {
        self.file().map(|_| ())
    }

    pub(super) fn is_open(&self) -> bool {
        self.file.is_some()
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Appends a line, which includes its newline. Fails if it cannot be written or the file cannot
    /// be rotated; the next line may succeed again.
    pub(super) fn write(&mut self, line: &[u8]) -> Result<(), Failure> {
        self.leave_if_moved();
        self.file()?;
        let size = self.size.saturating_add(line.len() as u64);
        let full = self.max_size > 0 && size > self.max_size;
        let rotated = if full && self.regular && self.size > 0 {
            // On a full disk the flush fails. A rotation then would replace old files by empty
            // ones.
            self.flush()?;
            self.rotate()
        } else {
            Ok(())
        };
        self.file()?.write_all(line)?;
        self.size += line.len() as u64;
        rotated.map_err(Failure::NotRotated)
    }

    /// Closes the file if its path leads to another file or to none by now, so that a new one is
    /// opened. Checks that only while the buffer is empty: once for lines that are written
    /// together.
    fn leave_if_moved(&mut self) {
        let is_written = |file: &BufWriter<File>| file.buffer().is_empty();
        if self.regular && self.file.as_ref().is_some_and(is_written) {
            let at_path = fs::metadata(&self.path).map(|it| (it.dev(), it.ino()));
            if at_path.ok() != Some(self.id) {
                self.file = None;
            }
        }
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
                // Without O_NONBLOCK, a pipe without a reader would block. Without O_NOCTTY, a
                // terminal could become the controlling one of the host.
                .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
                .open(&self.path)?;
            let metadata = file.metadata()?;
            self.size = metadata.len();
            self.regular = metadata.is_file();
            self.id = (metadata.dev(), metadata.ino());
            self.file = Some(BufWriter::new(file));
        }
        self.file
            .as_mut()
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Renames the files and starts an empty one. Fails if they cannot be renamed; the file is
    /// emptied all the same, since it must not exceed its limit.
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

/// Returns the name of an old file: the number stands before the extension.
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
        let mut file = RotatingFile::new(folder.path().join("log.txt"), 8, 2);
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
        let mut file = RotatingFile::new(folder.path().join("log"), 4, 3);
        write(&mut file, &["123456789\n"]);
        expect(folder.path(), &[("log", "123456789\n")]);
        write(&mut file, &["x\n"]);
        expect(folder.path(), &[("log", "x\n"), ("log.1", "123456789\n")]);
    }

    #[test]
    fn without_old_files_the_file_is_cut() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = RotatingFile::new(folder.path().join("log.txt"), 5, 0);
        write(&mut file, &["aaa\n", "bbb\n"]);
        expect(folder.path(), &[("log.txt", "bbb\n")]);
    }

    #[test]
    fn without_a_limit_the_file_grows() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = RotatingFile::new(folder.path().join("log.txt"), 0, 7);
        write(&mut file, &["aaa\n", "bbb\n"]);
        expect(folder.path(), &[("log.txt", "aaa\nbbb\n")]);
    }

    #[test]
    fn the_size_at_start_counts_and_missing_folders_are_created() {
        let folder = tempfile::tempdir().unwrap();
        let sub = folder.path().join("a.b/c");
        for line in ["aaa\n", "bbb\n", "ccc\n"] {
            let mut file = RotatingFile::new(sub.join("log"), 8, 7);
            write(&mut file, &[line]);
        }
        expect(&sub, &[("log", "ccc\n"), ("log.1", "aaa\nbbb\n")]);
    }

    #[test]
    fn a_gap_between_the_old_files_stays() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("log.2"), "old").unwrap();
        let mut file = RotatingFile::new(folder.path().join("log"), 4, usize::MAX);
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
        let mut file = RotatingFile::new(folder.path().join("log"), 4, 1);
        file.write(b"aaa\n").unwrap();
        assert!(file.write(b"bbb\n").is_err());
        file.flush().unwrap();
        expect(folder.path(), &[("log", "bbb\n")]);
    }

    #[test]
    fn a_folder_that_comes_back_is_written_to_again() {
        let folder = tempfile::tempdir().unwrap();
        let sub = folder.path().join("sub");
        let mut file = RotatingFile::new(sub.join("log"), 4, 1);
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
    fn a_file_that_was_moved_or_removed_is_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let sub = folder.path().join("sub");
        let path = sub.join("log");
        let mut file = RotatingFile::new(path.clone(), 100, 1);
        write(&mut file, &["a\n"]);
        fs::rename(&path, sub.join("log.old")).unwrap();
        write(&mut file, &["b\n", "c\n"]);
        expect(&sub, &[("log", "b\nc\n"), ("log.old", "a\n")]);
        fs::remove_dir_all(&sub).unwrap();
        write(&mut file, &["d\n"]);
        expect(&sub, &[("log", "d\n")]);
    }

    #[test]
    fn a_device_is_never_renamed_and_its_errors_are_returned() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("full");
        std::os::unix::fs::symlink("/dev/full", &link).unwrap();
        let mut file = RotatingFile::new(link.clone(), 4, 2);
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
        assert!(RotatingFile::new(pipe, 100, 1).open().is_err());
    }
}

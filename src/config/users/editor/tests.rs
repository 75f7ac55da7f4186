use std::{fs, os::unix::fs::symlink, thread};

use super::*;

const HASH: &str = "2d1e4f91dae49cd08eaba2293e422273";
const OTHER: &str = "8c3088f1b27432344f14d82033749797";

/// A file with what no program may lose: unknown keys, their order, a synonym.
fn file() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users.json");
    let text = format!(
        r#"{{"z":[1e3,2.50,12345678901234567890123],"users":[{{"zebra":1,"user":"b","credentials":"{HASH}","aardvark":null}},
        {{"password":"{HASH}","name":"a"}}],"a":"x"}}"#
    );
    fs::write(&path, text).unwrap();
    (folder, path)
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

#[test]
fn all_that_is_not_changed_stays_as_it_is_written() {
    let (_folder, path) = file();
    let mut editor = UsersEditor::open(&path).unwrap();
    editor.set_password("b", OTHER).unwrap();
    editor.remove("a").unwrap();
    let user = NewUser {
        rights: vec!["user".into(), "set-filter".into()],
        remotes: vec!["+127.0.0.1".into()],
        max_priority: Some(3),
        ..NewUser::default()
    };
    editor.add("c", HASH, &user).unwrap();
    editor.save().unwrap();
    assert_eq!(
        read(&path),
        format!(
            r#"{{"z":[1e3,2.50,12345678901234567890123],"users":[{{"zebra":1,"user":"b","credentials":"{OTHER}","aardvark":null}}, {{"name":"c","password":"{HASH}","rights":["user","set-filter"],"remotes":"+127.0.0.1","max-priority":3}}],"a":"x"}}"#
        )
    );
}

#[test]
fn users_in_lines_stay_in_lines() {
    let (_folder, path) = file();
    let text = "{\n\t\"users\" : [\n\t\t{ \"name\" : \"a\" },\n\t\t{ \"name\" : \"b\" }\n\t]\n}";
    fs::write(&path, text).unwrap();
    let mut editor = UsersEditor::open(&path).unwrap();
    editor.add("c", HASH, &NewUser::default()).unwrap();
    editor.set_password("b", HASH).unwrap();
    editor.remove("a").unwrap();
    editor.save().unwrap();
    assert_eq!(
        read(&path),
        format!(
            "{{\n\t\"users\" : [\n\t\t{{\"password\": \"{HASH}\",  \"name\" : \"b\" }},\n\t\t{{\n\t\t  \
             \"name\": \"c\",\n\t\t  \"password\": \"{HASH}\"\n\t\t}}\n\t]\n}}"
        )
    );
    for name in ["c", "b"] {
        editor.remove(name).unwrap();
    }
    editor.save().unwrap();
    assert_eq!(read(&path), "{\n\t\"users\" : []\n}");
}

#[test]
fn beside_records_that_are_wrong_the_others_can_be_changed_and_they_can_be_mended() {
    let (_folder, path) = file();
    let text = format!(
        r#"{{"users":["x",{{"name":"a","password":"broken"}},{{"name":"b","password":"{HASH}"}}]}}"#
    );
    fs::write(&path, text).unwrap();
    let mut editor = UsersEditor::open(&path).unwrap();
    let (users, errors) = editor.read().unwrap();
    assert_eq!((users.len(), errors.len()), (1, 2));
    editor.require("a").unwrap();
    editor.add("c", HASH, &NewUser::default()).unwrap();
    editor.set_password("a", OTHER).unwrap();
    editor.remove("b").unwrap();
    editor.save().unwrap();
    assert_eq!(
        read(&path),
        format!(
            r#"{{"users":["x",{{"name":"a","password":"{OTHER}"}},{{"name":"c","password":"{HASH}"}}]}}"#
        )
    );
}

#[test]
fn a_password_is_replaced_under_each_of_its_names() {
    let (_folder, path) = file();
    let text = format!(
        r#"{{"users":[{{"name":"a","credentials":"{HASH}","password":"{HASH}","note":"n"}}]}}"#
    );
    fs::write(&path, text).unwrap();
    let mut editor = UsersEditor::open(&path).unwrap();
    editor.set_password("a", OTHER).unwrap();
    editor.save().unwrap();
    assert_eq!(
        read(&path),
        format!(
            r#"{{"users":[{{"name":"a","credentials":"{OTHER}","password":"{OTHER}","note":"n"}}]}}"#
        )
    );
}

#[test]
fn names_that_are_there_or_not_are_told() {
    let (_folder, path) = file();
    let mut editor = UsersEditor::open(&path).unwrap();
    let name = path.display();
    let added = editor.add("b", HASH, &NewUser::default()).unwrap_err();
    assert_eq!(
        added.to_string(),
        format!("{name}: there is a user \"b\" already")
    );
    for error in [
        editor.remove("B").unwrap_err(),
        editor.set_password("B", OTHER).unwrap_err(),
    ] {
        assert_eq!(
            error.to_string(),
            format!("{name}: there is no user \"B\"; there are b, a")
        );
    }
}

#[test]
fn what_the_driver_would_refuse_is_not_written() {
    let (_folder, path) = file();
    let before = fs::read_to_string(&path).unwrap();
    let mut editor = UsersEditor::open(&path).unwrap();
    let user = NewUser {
        rights: vec!["usr".into()],
        ..NewUser::default()
    };
    editor.add("c", HASH, &user).unwrap();
    let error = editor.save().unwrap_err().to_string();
    assert!(error.contains("users[2].rights: found \"usr\""), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), before);

    drop(editor);
    fs::write(&path, "{").unwrap();
    let error = UsersEditor::open(&path).unwrap_err().to_string();
    assert!(error.contains("users.json:1"), "{error}");
}

#[test]
fn mode_and_links_stay_and_a_new_file_is_no_secret_of_all() {
    let (folder, path) = file();
    fs::set_permissions(&path, PermissionsExt::from_mode(0o604)).unwrap();
    let link = folder.path().join("link.json");
    symlink("users.json", &link).unwrap();
    let mut editor = UsersEditor::open(&link).unwrap();
    editor.remove("a").unwrap();
    editor.save().unwrap();
    drop(editor);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o604);

    let new = folder.path().join("new.json");
    let mut editor = UsersEditor::open(&new).unwrap();
    editor.add("c", HASH, &NewUser::default()).unwrap();
    assert!(!new.exists());
    editor.save().unwrap();
    assert_eq!(mode(&new), 0o640);
    assert_eq!(editor.read().unwrap().0.len(), 1);
    // Nothing else is left in the folder.
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
}

#[test]
fn of_changes_at_the_same_time_none_is_lost() {
    let (_folder, path) = file();
    thread::scope(|scope| {
        for number in 0..8 {
            let path = &path;
            scope.spawn(move || {
                let mut editor = UsersEditor::open(path).unwrap();
                let name = format!("u{number}");
                editor.add(&name, HASH, &NewUser::default()).unwrap();
                editor.save().unwrap();
            });
        }
    });
    let editor = UsersEditor::open(&path).unwrap();
    assert_eq!(editor.read().unwrap().0.len(), 10);
}

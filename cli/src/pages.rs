//! Man pages and completions of the command line, made from the same definition as its help. Programs that are shipped
//! do not hold this: it is a test, which `cargo xtask dist` runs with `AURICLE_PAGES`, the folder that it packs.
//! The trainer's program has it too.

use std::fs;
use std::path::PathBuf;

use clap::CommandFactory;
use clap_complete::Shell;

/// Of a shell, where completions lie below `share`.
const COMPLETIONS: [(Shell, &str); 3] = [
    (Shell::Bash, "bash-completion/completions"),
    (Shell::Zsh, "zsh/site-functions"),
    (Shell::Fish, "fish/vendor_completions.d"),
];

#[test]
fn every_command_has_a_page_and_is_completed() {
    let command = super::Args::command();
    let name = command.get_name().to_owned();
    let given = std::env::var_os("AURICLE_PAGES").map(PathBuf::from);
    let own = std::env::temp_dir().join(format!("{name}-pages-{}", std::process::id()));
    let folder = given.as_ref().unwrap_or(&own);

    let man = folder.join("man/man1");
    fs::create_dir_all(&man).expect("a folder");
    clap_mangen::generate_to(command.clone(), &man).expect("pages");
    let mut completions = Vec::new();
    for (shell, place) in COMPLETIONS {
        let place = folder.join(place);
        fs::create_dir_all(&place).expect("a folder");
        let file = clap_complete::generate_to(shell, &mut command.clone(), &name, place);
        completions.push(fs::read_to_string(file.expect("completions")).expect("readable"));
    }

    let mut pages = vec![(name.clone(), command.clone())];
    for sub in command.get_subcommands() {
        pages.push((format!("{name}-{}", sub.get_name()), sub.clone()));
        assert!(completions.iter().all(|text| text.contains(sub.get_name())), "{}", sub.get_name());
    }
    assert!(pages.len() > 1);
    for (page, command) in pages {
        let text = fs::read_to_string(man.join(format!("{page}.1"))).expect("a page");
        let about = command.get_about().expect("what it does").to_string();
        let shown = about.replace('-', "\\-").replace('\'', "\\*(Aq");
        assert!(text.contains(".SH SYNOPSIS") && text.contains(&shown), "{page} does not say: {about}");
    }
    if given.is_none() {
        fs::remove_dir_all(own).expect("removed");
    }
}

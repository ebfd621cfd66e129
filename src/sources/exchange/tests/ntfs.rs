//! On a real NTFS, made and mounted here: `cargo test --lib exchange -- --ignored` as root.

use super::*;
use std::process::Command;

/// A mounted image; unmounted when it goes away.
struct Mounted(PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(&self.0).status();
        assert!(unmounted.is_ok_and(|status| status.success()), "could not unmount `{}`", self.0.display());
    }
}

fn run(program: &str, arguments: &[&Path]) {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
}

fn mount(image: &Path, at: &Path, options: &str) -> Mounted {
    run("ntfs-3g", &[Path::new("-o"), Path::new(options), image, at]);
    Mounted(at.to_owned())
}

/// A mailroot with a file that has a small and a large stream, one that has a foreign stream only, and one that has none.
fn image(folder: &Path) -> PathBuf {
    let image = folder.join("image");
    std::fs::File::create(&image).unwrap().set_len(64 << 20).unwrap();
    run("mkntfs", &[Path::new("-F"), Path::new("-q"), Path::new("-f"), &image]);
    let at = folder.join("mnt");
    std::fs::create_dir(&at).unwrap();
    let _mounted = mount(&image, &at, "streams_interface=windows");
    for name in ["Queue", "Pickup"] {
        std::fs::create_dir(at.join(name)).unwrap();
    }
    for number in 1..=3 {
        std::fs::write(at.join(format!("Queue/NTFS_{number}.EML")), b"Subject: x\r\n\r\n").unwrap();
    }
    std::fs::write(at.join("Queue/NTFS_1.EML:PROPERTIES"), b"PLACEHOLDER\0alice@contoso.example\0").unwrap();
    std::fs::write(at.join("Queue/NTFS_1.EML:LARGE"), vec![b'x'; 80 << 10]).unwrap();
    std::fs::write(at.join("Queue/NTFS_2.EML:Zone.Identifier"), b"[ZoneTransfer]").unwrap();
    image
}

#[test]
#[ignore = "needs root, ntfs-3g and /dev/fuse"]
fn both_ways_in_which_ntfs_3g_shows_streams_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let image = image(folder.path());
    let at = folder.path().join("mnt");
    for options in ["ro,streams_interface=xattr", "ro,streams_interface=windows"] {
        let _mounted = mount(&image, &at, options);
        let scanned = scan(&at);
        assert_eq!(scanned.damages, [], "{options}");
        let whole = scanned.file("NTFS_1.EML");
        assert_eq!(signs(whole), [], "{options}");
        let sizes: Vec<_> = whole.parts.iter().map(|part| part.size).collect();
        // An attribute of more than 64 KiB has neither a size nor a content that could be learnt.
        let large = options.ends_with("windows").then_some(80 << 10);
        assert_eq!(sizes, [Some(14), large, Some(34)], "{options}: {:?}", whole.parts);
        assert_eq!(attributes(whole, "strings seen"), ["alice@contoso.example"], "{options}");
        assert_eq!(whole.parts[1].sha256.is_some(), options.ends_with("windows"), "{options}");
        for lost in ["NTFS_2.EML", "NTFS_3.EML"] {
            assert_eq!(signs(scanned.file(lost)), [(Sign::EnvelopeLost, Confidence::Likely)], "{options}");
        }
    }
    let _mounted = mount(&image, &at, "ro,streams_interface=none");
    let scanned = scan(&at);
    for name in ["NTFS_1.EML", "NTFS_2.EML", "NTFS_3.EML"] {
        assert_eq!(signs(scanned.file(name)), [(Sign::EnvelopeLost, Confidence::Possible)]);
    }
}

#[test]
#[ignore = "needs root, ntfs-3g, /dev/fuse and GNU tar"]
fn a_tar_archive_with_attributes_carries_the_streams() {
    let folder = tempfile::tempdir().unwrap();
    let image = image(folder.path());
    let (at, copy) = (folder.path().join("mnt"), folder.path().join("copy"));
    std::fs::create_dir(&copy).unwrap();
    {
        let _mounted = mount(&image, &at, "ro,streams_interface=xattr");
        let command = format!(
            "tar --xattrs --xattrs-include='*' -C '{}' -cf - Queue Pickup 2>/dev/null | tar --xattrs \
             --xattrs-include='*' -C '{}' -xf -",
            at.display(),
            copy.display()
        );
        run("sh", &[Path::new("-c"), Path::new(&command)]);
    }
    let scanned = scan(&copy);
    assert_eq!(signs(scanned.file("NTFS_1.EML")), []);
    assert_eq!(signs(scanned.file("NTFS_3.EML")), [(Sign::EnvelopeLost, Confidence::Likely)]);
}

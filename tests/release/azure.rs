//! The package for Azure Functions: what the host needs is in it, and the program starts.

use crate::clean_root::CleanRoot;
use crate::files;

/// Lists an archive within the archive, with the permissions that Azure's host will see.
const LIST: &str = r#"
import io, json, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as package:
    app = zipfile.ZipFile(io.BytesIO(package.read("app.zip")))
    app.extractall("/opt/app")
    print(json.dumps({
        "package": package.namelist(),
        "app": {entry.filename: entry.external_attr >> 16 & 0o777 for entry in app.infolist()},
    }))
"#;

#[test]
#[ignore = "needs files of a release and a root: cargo xtask release --dry-run"]
fn it_has_what_azure_needs_and_its_program_starts() {
    let root = CleanRoot::new();
    let package = files::one("-azure-x86_64.zip");
    root.put(&package, "/dist");
    std::fs::write(root.path("/dist/list.py"), LIST).unwrap();
    let listed = root.run("python3 /dist/list.py /dist/*-azure-x86_64.zip");
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();

    let has = |file: &str| {
        let files = listed["package"].as_array().unwrap();
        files.iter().any(|name| name == file)
    };
    for file in [
        "app.zip",
        "infra/azure/main.bicep",
        "infra/azure/README.md",
        "docs/azure.md",
        "LICENSE-MIT",
        "LICENSE-APACHE",
        "LICENSE-THIRD-PARTY.txt",
    ] {
        assert!(has(file), "{file}");
    }

    let host = std::fs::read_to_string(root.path("/opt/app/host.json")).unwrap();
    let host: serde_json::Value = serde_json::from_str(&host).unwrap();
    let program = host["customHandler"]["description"]["defaultExecutablePath"]
        .as_str()
        .unwrap();
    let app = listed["app"].as_object().unwrap();
    assert_eq!(app[program], 0o755, "the host runs it");
    for function in ["webhook/function.json", "redrive/function.json"] {
        assert_eq!(app[function], 0o644, "{function}");
    }
    assert_eq!(app.len(), 4, "{app:?}");

    // Without a configuration it says so, and ends.
    let said = root.run(&format!(
        "chmod +x /opt/app/{program}; FUNCTIONS_CUSTOMHANDLER_PORT=0 /opt/app/{program} 2>&1 && exit 1 || echo ended with $?"
    ));
    assert!(said.ends_with("ended with 78"), "{said}");
    assert!(said.contains("LABELRELAY_CONFIG_TOML"), "{said}");
}

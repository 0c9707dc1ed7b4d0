//! Says hello from Rust, with the standard library alone.
use std::io::{self, BufRead, Write};

const VERSION: &str = "1.0.0";
const BROKEN: bool = false; // a release that passes every check before it runs, and then dies in init

const MANIFEST: &str = r#"{"options":[{"name":"rust-greeting","type":"string","default":"hello","description":"What to say"}],
"rpcmethods":[{"name":"rust-hello","usage":"","description":"Say hello"}],"subscriptions":[],"hooks":[],"dynamic":true}"#;

/// The raw value of the first `"key":` in `text`: a string with its quotes, or a bare word. Enough for what lightningd sends.
fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let quoted = format!("\"{key}\"");
    let mut from = 0;
    while let Some(found) = text[from..].find(&quoted) {
        from += found + quoted.len();
        let Some(rest) = text[from..].trim_start().strip_prefix(':') else { continue };
        let rest = rest.trim_start();
        let mut escaped = false;
        let end = if rest.starts_with('"') {
            rest.char_indices().skip(1).find_map(|(i, c)| {
                let closes = c == '"' && !escaped;
                escaped = c == '\\' && !escaped;
                closes.then_some(i + 1)
            })
        } else {
            rest.find([',', '}', ' '])
        };
        return end.map(|end| &rest[..end]);
    }
    None
}

fn main() {
    let mut greeting = String::from("\"hello\"");
    for line in io::stdin().lock().lines() {
        let line = line.expect("stdin is text");
        let (Some(id), Some(method)) = (value(&line, "id"), value(&line, "method")) else { continue };
        let result = match method {
            "\"getmanifest\"" => MANIFEST.to_string(),
            "\"init\"" => {
                if BROKEN {
                    eprintln!("this release is broken");
                    std::process::exit(1);
                }
                greeting = value(&line, "rust-greeting").unwrap_or("\"hello\"").to_string();
                "{}".to_string()
            }
            _ => format!(r#"{{"say":{greeting},"version":"{VERSION}","options":{{"rust-greeting":{greeting}}}}}"#),
        };
        println!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#);
        println!();
        io::stdout().flush().expect("stdout is open");
    }
}

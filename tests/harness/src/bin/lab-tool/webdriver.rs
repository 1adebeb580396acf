//! The real Chromium, driven through chromedriver (W3C WebDriver over HTTP).

use crate::browser::Plan;
use crate::report::report;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How WebDriver names an element in JSON (W3C WebDriver §12.2).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// How long a page may take: Chromium itself takes a minute to start on a busy machine.
const LIMIT: Duration = Duration::from_secs(180);

/// Types user and password into the page's form, clicks, and waits until the browser is back at
/// the auth dialog's page.
pub(crate) fn log_in(url: &str, person: &Plan) -> Result<&'static str, String> {
    let mut driver = Driver::start()?;
    let outcome = type_and_click(&mut driver, url, person);
    driver.stop();
    outcome
}

fn type_and_click(driver: &mut Driver, url: &str, person: &Plan) -> Result<&'static str, String> {
    driver.open_session()?;
    driver.post("url", json!({"url": url}))?;
    report(json!({"event": "page", "title": driver.get("title")?}));
    for (name, text) in [("username", &person.user), ("password", &person.password)] {
        let element = driver.find(&format!("input[name={name}]"))?;
        driver.post(&format!("element/{element}/value"), json!({"text": text}))?;
    }
    let button = driver.find("form [type=submit], form button")?;
    driver.post(&format!("element/{button}/click"), json!({}))?;
    let end = Instant::now() + LIMIT;
    loop {
        let at = driver.get("url")?;
        if at
            .as_str()
            .is_some_and(|at| at.starts_with("http://127.0.0.1:35001"))
        {
            let body = driver.find("body")?;
            let text = driver.get(&format!("element/{body}/text"))?;
            report(json!({"event": "page", "title": driver.get("title")?, "text": text}));
            return Ok("logged in");
        }
        // The form is there again.
        if driver.find(".error, [role=alert]").is_ok() {
            return Ok("was refused by the identity provider");
        }
        if Instant::now() > end {
            return Err(format!("the browser stayed at {at}"));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

struct Driver {
    process: Child,
    port: u16,
    session: Option<String>,
    profile: tempdir::Profile,
}

mod tempdir {
    //! Chromium's own directory, which goes when the browser does.

    pub(super) struct Profile(pub(super) String);

    impl Profile {
        pub(super) fn new() -> Self {
            Self(format!("/run/home/chromium-{}", std::process::id()))
        }
    }

    impl Drop for Profile {
        fn drop(&mut self) {
            drop(std::fs::remove_dir_all(&self.0));
        }
    }
}

impl Driver {
    fn start() -> Result<Self, String> {
        let text = |error: std::io::Error| error.to_string();
        // Free a moment ago; nobody else takes ports on this machine.
        let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
        let port = port.map_err(text)?.port();
        let profile = tempdir::Profile::new();
        std::fs::create_dir_all(&profile.0).map_err(text)?;
        let process = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .env("TMPDIR", &profile.0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("chromedriver: {error}"))?;
        Ok(Self {
            process,
            port,
            session: None,
            profile,
        })
    }

    fn open_session(&mut self) -> Result<(), String> {
        let end = Instant::now() + LIMIT;
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            if Instant::now() > end {
                return Err("chromedriver does not listen".to_owned());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let arguments = [
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--ignore-certificate-errors",
        ];
        let mut arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        arguments.push(format!("--user-data-dir={}/profile", self.profile.0));
        // On a desktop it has a window that can be seen.
        if std::env::var_os("DISPLAY").is_none() {
            arguments.push("--headless".to_owned());
        }
        let capabilities = json!({"alwaysMatch": {
            "acceptInsecureCerts": true,
            "goog:chromeOptions": {"args": arguments},
        }});
        let answer = self.request(
            "POST",
            "/session",
            Some(json!({"capabilities": capabilities})),
        )?;
        self.session = answer["sessionId"].as_str().map(ToOwned::to_owned);
        Ok(())
    }

    fn stop(&mut self) {
        if let Some(session) = self.session.take() {
            drop(self.request("DELETE", &format!("/session/{session}"), None));
        }
        drop(self.process.kill());
        drop(self.process.wait());
    }

    fn find(&self, selector: &str) -> Result<String, String> {
        let found = self.post(
            "element",
            json!({"using": "css selector", "value": selector}),
        )?;
        found[ELEMENT]
            .as_str()
            .map(ToOwned::to_owned)
            .ok_or(format!("the page has no {selector}"))
    }

    fn post(&self, what: &str, body: Value) -> Result<Value, String> {
        self.request("POST", &self.path(what), Some(body))
    }

    fn get(&self, what: &str) -> Result<Value, String> {
        self.request("GET", &self.path(what), None)
    }

    fn path(&self, what: &str) -> String {
        format!(
            "/session/{}/{what}",
            self.session.as_deref().unwrap_or_default()
        )
    }

    fn request(&self, method: &str, path: &str, body: Option<Value>) -> Result<Value, String> {
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let answer = exchange(self.port, method, path, &body).map_err(|error| error.to_string())?;
        let mut answer: Value = serde_json::from_str(&answer).map_err(|error| error.to_string())?;
        let value = answer["value"].take();
        match value["error"].as_str() {
            Some(error) => Err(format!(
                "{error}: {}",
                value["message"].as_str().unwrap_or("")
            )),
            None => Ok(value),
        }
    }
}

fn exchange(port: u16, method: &str, path: &str, body: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(LIMIT + LIMIT))?;
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(String::from_utf8_lossy(&body).into_owned())
}

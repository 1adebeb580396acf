//! A secret agent that runs a plugin's auth dialog in the old style, as gnome-shell and nm-applet
//! do (networkAgent.js, applet-vpn-request.c), and tells about it in JSON lines.
//!
//! What a person would type into the dialog's window it answers itself (see [`crate::scripted_user`]), for
//! a lab has no screen; a login in the browser is the real dialog's.

use crate::report::report;
use crate::scripted_user::{ScriptedUser, Typed};
use aws_client_vpn_sign_in::form::CredentialForm;
use aws_client_vpn_sign_in::request::{BrowserRequest, BrowserRequestError};
use aws_client_vpn_text::secret::Secret;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use std::collections::{BTreeMap, HashMap};
use std::process::{ExitCode, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::watch;
use zbus::export::futures_core::Stream;
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Value};

const NETWORK_MANAGER: &str = "org.freedesktop.NetworkManager";
const SESSION_BUS: &str = "unix:path=/run/lab/session-bus";
const NAME_FILES: [&str; 2] = ["/etc/NetworkManager/VPN", "/usr/lib/NetworkManager/VPN"];
/// `NM_SECRET_AGENT_CAPABILITY_VPN_HINTS`
const VPN_HINTS: u32 = 1;
/// `NM_SECRET_AGENT_GET_SECRETS_FLAG_ALLOW_INTERACTION`
const ALLOW_INTERACTION: u32 = 0x1;
/// How often NetworkManager may refuse the agent.
const MOST_REFUSALS: u32 = 100;
const PAUSE: Duration = Duration::from_millis(100);

type Dictionary = HashMap<String, HashMap<String, OwnedValue>>;
type Answer = HashMap<&'static str, HashMap<&'static str, Value<'static>>>;

/// How the agent treats a dialog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// Standard input stays open, QUIT comes after the answer, standard error is a closed pipe.
    GnomeShell,
    /// QUIT is sent with DONE and standard input closed; a dialog to be cancelled is signalled.
    NmApplet,
}

/// Why a dialog has to end early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cancel {
    No,
    ByUser,
    ByNetworkManager,
}

#[derive(Debug, zbus::DBusError)]
#[zbus(prefix = "org.freedesktop.NetworkManager.SecretAgent")]
enum AgentError {
    #[zbus(error)]
    ZBus(zbus::Error),
    NoSecrets(String),
    UserCanceled(String),
    AgentCanceled(String),
    Failed(String),
}

struct Agent {
    style: Style,
    running: Running,
    scripted_user: Mutex<ScriptedUser>,
}

/// Cancels the dialogs that run now, one for each connection at most.
#[derive(Debug, Clone, Default)]
struct Running(Arc<Mutex<HashMap<String, watch::Sender<Cancel>>>>);

impl Running {
    fn cancel_all(&self, why: Cancel) {
        for (_, sender) in self.0.lock().expect("not poisoned").drain() {
            sender.send_replace(why);
        }
    }

    fn cancel(&self, connection: &str, why: Cancel) {
        if let Some(sender) = self.0.lock().expect("not poisoned").remove(connection) {
            sender.send_replace(why);
        }
    }

    /// A new request for a connection replaces the one before.
    fn begin(&self, connection: &str) -> watch::Receiver<Cancel> {
        self.cancel(connection, Cancel::ByNetworkManager);
        let (sender, receiver) = watch::channel(Cancel::No);
        let mut running = self.0.lock().expect("not poisoned");
        running.insert(connection.to_owned(), sender);
        receiver
    }
}

#[zbus::interface(name = "org.freedesktop.NetworkManager.SecretAgent")]
impl Agent {
    /// `GetSecrets(a{sa{sv}}, o, s, as, u) -> a{sa{sv}}`
    async fn get_secrets(
        &self,
        connection: Dictionary,
        path: OwnedObjectPath,
        setting_name: String,
        hints: Vec<String>,
        flags: u32,
    ) -> Result<Answer, AgentError> {
        report(json!({"event": "asked", "setting": setting_name, "hints": hints, "flags": flags}));
        if setting_name != "vpn" {
            return Err(AgentError::NoSecrets(
                "only VPN secrets are known here".to_owned(),
            ));
        }
        let mut request = Request::read(&connection, hints, flags)?;
        let kept = self
            .scripted_user
            .lock()
            .expect("not poisoned")
            .kept(&request.uuid);
        // gnome-shell tells the dialog what is in the keyring, and the dialog says whether that
        // does; nm-applet's dialogs look there themselves.
        let is_known = request
            .form
            .as_ref()
            .is_some_and(|form| !request.interactive || form.divided(&kept).0.fields.is_empty());
        if is_known && self.style == Style::GnomeShell {
            request.add_secrets(&kept);
        } else if let Some(form) = &request.form {
            let typed = {
                let mut scripted_user = self.scripted_user.lock().expect("not poisoned");
                scripted_user.answer(&request.uuid, form, request.interactive)
            };
            let secrets = match typed {
                Typed::Answers(secrets) => secrets,
                Typed::Cancel => {
                    return Err(AgentError::UserCanceled("cancelled by the user".to_owned()));
                }
                Typed::Nothing => return Err(AgentError::NoSecrets("nothing is kept".to_owned())),
                Typed::Silence => {
                    let mut cancelled = self.running.begin(path.as_str());
                    cancelled_for_good(&mut cancelled).await;
                    return Err(AgentError::AgentCanceled("nobody is there".to_owned()));
                }
            };
            report(json!({"event": "answered", "names": secrets.keys().collect::<Vec<_>>()}));
            let vpn = HashMap::from([("secrets", Value::from(secrets))]);
            return Ok(HashMap::from([("vpn", vpn)]));
        }
        let secrets = run_dialog(self.style, request, self.running.begin(path.as_str())).await?;
        if secrets.is_empty() {
            return Err(AgentError::NoSecrets("the dialog has nothing".to_owned()));
        }
        report(json!({"event": "answered", "names": secrets.keys().collect::<Vec<_>>()}));
        let vpn = HashMap::from([("secrets", Value::from(secrets))]);
        Ok(HashMap::from([("vpn", vpn)]))
    }

    /// `CancelGetSecrets(o, s)`
    async fn cancel_get_secrets(&self, path: OwnedObjectPath, _setting_name: String) {
        report(json!({"event": "cancelled"}));
        self.running.cancel(path.as_str(), Cancel::ByNetworkManager);
    }

    /// `SaveSecrets(a{sa{sv}}, o)`
    async fn save_secrets(&self, _connection: Dictionary, _path: OwnedObjectPath) {}

    /// `DeleteSecrets(a{sa{sv}}, o)`
    async fn delete_secrets(&self, _connection: Dictionary, _path: OwnedObjectPath) {}
}

/// What a dialog is told.
struct Request {
    uuid: String,
    interactive: bool,
    /// What a person would type, if it is not a login in the browser.
    form: Option<CredentialForm>,
    program: String,
    arguments: Vec<String>,
    input: String,
}

impl Request {
    fn read(connection: &Dictionary, hints: Vec<String>, flags: u32) -> Result<Self, AgentError> {
        let wrong = |what: &str| AgentError::Failed(format!("the connection has no {what}"));
        let text = |setting: &str, key: &str| -> Option<String> {
            String::try_from(connection.get(setting)?.get(key)?.try_clone().ok()?).ok()
        };
        let strings = |key: &str| -> HashMap<String, String> {
            let value = connection.get("vpn").and_then(|vpn| vpn.get(key));
            value
                .and_then(|value| value.try_clone().ok())
                .and_then(|value| HashMap::try_from(value).ok())
                .unwrap_or_default()
        };
        let service = text("vpn", "service-type").ok_or_else(|| wrong("service-type"))?;
        let program = dialog_of(&service)
            .ok_or_else(|| AgentError::NoSecrets(format!("no auth dialog for {service}")))?;
        let uuid = text("connection", "uuid").ok_or_else(|| wrong("uuid"))?;
        let data = strings("data").into_iter().collect();
        let words = hints.iter().map(String::as_str);
        let form = match BrowserRequest::parse(words.clone(), true) {
            Err(BrowserRequestError::NoAddress) => CredentialForm::parse(words, &data),
            Ok(_) | Err(BrowserRequestError::UnsafeAddress) => None,
        };
        let mut arguments = vec![
            "-u".to_owned(),
            uuid.clone(),
            "-n".to_owned(),
            text("connection", "id").ok_or_else(|| wrong("id"))?,
            "-s".to_owned(),
            service,
        ];
        if flags & ALLOW_INTERACTION != 0 {
            arguments.push("-i".to_owned());
        }
        for hint in hints {
            arguments.extend(["-t".to_owned(), hint]);
        }
        let mut input = String::new();
        for (key, value) in strings("data") {
            input.push_str(&format!("DATA_KEY={key}\nDATA_VAL={value}\n\n"));
        }
        for (key, value) in strings("secrets") {
            input.push_str(&format!("SECRET_KEY={key}\nSECRET_VAL={value}\n\n"));
        }
        Ok(Self {
            uuid,
            interactive: flags & ALLOW_INTERACTION != 0,
            form,
            program,
            arguments,
            input,
        })
    }
}

impl Request {
    /// Also tells the dialog these secrets.
    fn add_secrets(&mut self, secrets: &BTreeMap<String, Secret>) {
        for (key, value) in secrets {
            let value = value.expose();
            self.input
                .push_str(&format!("SECRET_KEY={key}\nSECRET_VAL={value}\n\n"));
        }
    }
}

/// The program named in the name file of `service`.
fn dialog_of(service: &str) -> Option<String> {
    NAME_FILES
        .into_iter()
        .filter_map(|directory| std::fs::read_dir(directory).ok())
        .flat_map(Iterator::flatten)
        .find_map(|entry| {
            let text = std::fs::read_to_string(entry.path()).ok()?;
            text.lines()
                .find(|line| *line == format!("service={service}"))?;
            let dialog = text
                .lines()
                .find_map(|line| line.strip_prefix("auth-dialog="))?;
            Some(dialog.to_owned())
        })
}

async fn run_dialog(
    style: Style,
    request: Request,
    mut cancelled: watch::Receiver<Cancel>,
) -> Result<HashMap<String, String>, AgentError> {
    let failed = |error: std::io::Error| AgentError::Failed(error.to_string());
    let mut command = Command::new(&request.program);
    command
        .args(&request.arguments)
        .env("BROWSER", "/run/lab/bin/xdg-open")
        .env("XDG_RUNTIME_DIR", "/run/home")
        // A desktop's, where the lab has one.
        .env("DBUS_SESSION_BUS_ADDRESS", SESSION_BUS)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(match style {
            Style::GnomeShell => Stdio::piped(),
            Style::NmApplet => Stdio::null(),
        });
    let mut child = command.spawn().map_err(failed)?;
    report(json!({"event": "dialog", "pid": child.id()}));
    let mut stdin = child.stdin.take();
    let stdout = child.stdout.take().expect("it is piped");
    // gnome-shell closes its end of standard error at once.
    drop(child.stderr.take());
    if let Some(pipe) = &mut stdin {
        let input = format!("{}DONE\n\n", request.input);
        pipe.write_all(input.as_bytes()).await.map_err(failed)?;
        if style == Style::NmApplet {
            pipe.write_all(b"QUIT\n\n").await.map_err(failed)?;
        }
        pipe.flush().await.map_err(failed)?;
    }
    if style == Style::NmApplet {
        stdin = None;
    }
    let outcome = tokio::select! {
        outcome = converse(&mut child, &mut stdin, BufReader::new(stdout).lines()) => Some(outcome),
        () = cancelled_for_good(&mut cancelled) => None,
    };
    match outcome {
        Some(Ok((secrets, status))) => {
            report(json!({"event": "dialog-ended", "status": status.code()}));
            match status.code() {
                Some(0) => Ok(secrets),
                None if style == Style::GnomeShell => {
                    Err(AgentError::Failed("a signal has ended it".to_owned()))
                }
                Some(_) | None => Err(AgentError::UserCanceled(
                    "the dialog was cancelled".to_owned(),
                )),
            }
        }
        Some(Err(error)) => Err(failed(error)),
        None => {
            let why = *cancelled.borrow();
            if style == Style::NmApplet
                && let Some(pid) = child.id().and_then(|id| Pid::from_raw(id.cast_signed()))
            {
                let _ = kill_process(pid, Signal::TERM);
            }
            tokio::spawn(dismiss(child, stdin));
            match why {
                Cancel::ByUser => Err(AgentError::UserCanceled("cancelled by the user".to_owned())),
                Cancel::No | Cancel::ByNetworkManager => Err(AgentError::AgentCanceled(
                    "cancelled by NetworkManager".to_owned(),
                )),
            }
        }
    }
}

/// Resolves when someone cancels.
async fn cancelled_for_good(cancelled: &mut watch::Receiver<Cancel>) {
    if cancelled
        .wait_for(|cancel| *cancel != Cancel::No)
        .await
        .is_err()
    {
        std::future::pending::<()>().await;
    }
}

/// Reads pairs of lines up to two empty ones, says QUIT, and waits for the dialog's end.
async fn converse(
    child: &mut Child,
    stdin: &mut Option<ChildStdin>,
    mut lines: Lines<BufReader<ChildStdout>>,
) -> std::io::Result<(HashMap<String, String>, ExitStatus)> {
    let mut secrets = HashMap::new();
    let mut quit_sent = false;
    while let Some(key) = lines.next_line().await? {
        let Some(value) = lines.next_line().await? else {
            break;
        };
        if key.is_empty() && value.is_empty() {
            if let Some(pipe) = stdin {
                drop(pipe.write_all(b"QUIT\n\n").await);
                drop(pipe.flush().await);
            }
            quit_sent = true;
        } else {
            secrets.insert(key, value);
        }
    }
    let status = child.wait().await?;
    // gnome-shell loses the secrets of a dialog that does not wait for QUIT.
    if stdin.is_some() && !quit_sent {
        secrets.clear();
    }
    Ok((secrets, status))
}

/// gnome-shell says QUIT, closes standard input, and does not kill the child.
async fn dismiss(mut child: Child, stdin: Option<ChildStdin>) {
    if let Some(mut pipe) = stdin {
        drop(pipe.write_all(b"QUIT\n\n").await);
        drop(pipe.flush().await);
    }
    if let Ok(status) = child.wait().await {
        report(json!({"event": "dialog-ended", "status": status.code()}));
    }
}

/// Serves until its standard input ends; the line `cancel` there is the user's cancelling, `lock` what
/// gnome-shell does when it locks the screen.
pub(crate) fn run(style: &str) -> ExitCode {
    let style = match style {
        "gnome-shell" => {
            // A dialog looks whose child it is.
            std::fs::write("/proc/self/comm", "gnome-shell").expect("the name is short");
            Style::GnomeShell
        }
        "nm-applet" => Style::NmApplet,
        _ => return ExitCode::from(2),
    };
    crate::report::block_on(serve(style))
}

async fn serve(style: Style) -> zbus::Result<()> {
    let running = Running::default();
    let agent = Agent {
        style,
        running: running.clone(),
        scripted_user: Mutex::default(),
    };
    let bus = zbus::connection::Builder::system()?
        .serve_at("/org/freedesktop/NetworkManager/SecretAgent", agent)?
        .build()
        .await?;
    let manager = zbus::Proxy::new(
        &bus,
        NETWORK_MANAGER,
        "/org/freedesktop/NetworkManager/AgentManager",
        "org.freedesktop.NetworkManager.AgentManager",
    )
    .await?;
    // NetworkManager may not have noticed yet that the one before is gone.
    let mut refused = 0;
    while let Err(error) = register(&manager).await {
        refused += 1;
        if refused == MOST_REFUSALS {
            return Err(error);
        }
        tokio::time::sleep(PAUSE).await;
    }
    report(json!({"event": "registered"}));
    let mut commands = BufReader::new(tokio::io::stdin()).lines();
    let mut networkmanager_gone = std::pin::pin!(networkmanager_gone(&bus));
    loop {
        tokio::select! {
            line = commands.next_line() => match line {
                Ok(Some(line)) if line == "cancel" => running.cancel_all(Cancel::ByUser),
                Ok(Some(line)) if line == "lock" => {
                    running.cancel_all(Cancel::ByUser);
                    // The answers go first.
                    tokio::time::sleep(PAUSE).await;
                    let _: () = manager.call("Unregister", &()).await?;
                    report(json!({"event": "unregistered"}));
                }
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => return Ok(()),
            },
            gone = &mut networkmanager_gone => {
                gone?;
                // As libnm's base class of agents does, nobody being left to answer to.
                running.cancel_all(Cancel::ByNetworkManager);
                networkmanager_gone.set(self::networkmanager_gone(&bus));
            }
        }
    }
}

async fn register(manager: &zbus::Proxy<'_>) -> zbus::Result<()> {
    let registration = ("lab.agent", VPN_HINTS);
    manager
        .call("RegisterWithCapabilities", &registration)
        .await
}

/// Returns when NetworkManager loses its name.
async fn networkmanager_gone(bus: &zbus::Connection) -> zbus::Result<()> {
    let proxy = zbus::fdo::DBusProxy::new(bus).await?;
    let changes = proxy
        .receive_name_owner_changed_with_args(&[(0, NETWORK_MANAGER)])
        .await?;
    let mut changes = std::pin::pin!(changes);
    while let Some(change) = std::future::poll_fn(|cx| changes.as_mut().poll_next(cx)).await {
        if change.args()?.new_owner().is_none() {
            break;
        }
    }
    Ok(())
}

//! Runs in the virtual machine, in a user's session: prints what is on the screen, as a screen reader
//! knows it, a line of JSON for each thing. Its argument is the program to look at; all, if empty.

use aws_client_vpn_vm::Seen;
use serde::de::DeserializeOwned;
use std::pin::Pin;
use tokio::task::JoinSet;
use zbus::Connection;
use zbus::connection::Builder;
use zbus::zvariant::{DynamicType, OwnedObjectPath, OwnedValue, Type};

const ROOT: &str = "/org/a11y/atspi/accessible/root";
const ACCESSIBLE: &str = "org.a11y.atspi.Accessible";
const COMPONENT: &str = "org.a11y.atspi.Component";
const TEXT: &str = "org.a11y.atspi.Text";
/// States of AT-SPI, by their bits.
const CHECKED: u32 = 4;
const FOCUSED: u32 = 12;
const SENSITIVE: u32 = 24;
const SHOWING: u32 = 25;
/// Deeper than any window nests.
const DEPTH: usize = 60;
/// More than anything on a screen says.
const LENGTH: i32 = 10_000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    let session = Connection::session().await?;
    let bus = Some("org.a11y.Bus");
    let answer = session.call_method(bus, "/org/a11y/bus", bus, "GetAddress", &());
    let address: String = answer.await?.body().deserialize()?;
    let registry = Node {
        bus: Builder::address(address.as_str())?.build().await?,
        owner: "org.a11y.atspi.Registry".to_owned(),
        path: ROOT.try_into()?,
    };
    for program in registry.children().await {
        let name = program.name().await;
        if wanted.is_empty() || wanted == name {
            for window in program.children().await {
                for seen in window.look(name.clone(), 0).await {
                    println!("{}", serde_json::json!(seen));
                }
            }
        }
    }
    Ok(())
}

/// What is found at a thing and in it.
type Looking = Pin<Box<dyn Future<Output = Vec<Seen>> + Send>>;

#[derive(Clone)]
struct Node {
    bus: Connection,
    owner: String,
    path: OwnedObjectPath,
}

impl Node {
    /// It and what it consists of, in order, if it is on the screen. All is asked at once: on a
    /// processor that is computed, an answer takes long to come.
    fn look(self, program: String, depth: usize) -> Looking {
        Box::pin(async move {
            // From the corner of the window, but in the shell, which has none.
            let corner = (u32::from(program != "gnome-shell"),);
            let (states, extents) = tokio::join!(
                self.call::<_, Vec<u32>>(ACCESSIBLE, "GetState", &()),
                self.call(COMPONENT, "GetExtents", &corner)
            );
            let states = states.unwrap_or_default();
            let has = |state: u32| {
                let word = states.get((state / 32) as usize);
                word.is_some_and(|word| word & (1 << (state % 32)) != 0)
            };
            let (x, y, width, height): (i32, i32, i32, i32) = extents.unwrap_or_default();
            // What groups others in GTK 4 is not said to be on the screen.
            if depth > DEPTH || !has(SHOWING) && (width <= 0 || height <= 0) {
                return Vec::new();
            }
            let (role, name, text, children) = tokio::join!(
                self.call(ACCESSIBLE, "GetRoleName", &()),
                self.name(),
                self.text(),
                self.children()
            );
            let mut all = vec![Seen {
                program: program.clone(),
                role: role.unwrap_or_default(),
                name,
                text,
                sensitive: has(SENSITIVE),
                focused: has(FOCUSED),
                checked: has(CHECKED),
                x,
                y,
                width,
                height,
            }];
            let mut looking = JoinSet::new();
            for (place, child) in children.into_iter().enumerate() {
                let program = program.clone();
                let child = child.look(program, depth + 1);
                looking.spawn(async move { (place, child.await) });
            }
            let mut below = looking.join_all().await;
            below.sort_by_key(|(place, _)| *place);
            all.extend(below.into_iter().flat_map(|(_, seen)| seen));
            all
        })
    }

    async fn text(&self) -> String {
        let interfaces: Vec<String> =
            (self.call(ACCESSIBLE, "GetInterfaces", &()).await).unwrap_or_default();
        // Who has no text may warn of the question.
        if !interfaces.iter().any(|interface| interface == TEXT) {
            return String::new();
        }
        // Not all programs take -1 for the end.
        let length: i32 = match self.property(TEXT, "CharacterCount").await {
            Some(length @ 1..) => length,
            _ => return String::new(),
        };
        let all = (0_i32, length.min(LENGTH));
        self.call(TEXT, "GetText", &all).await.unwrap_or_default()
    }

    async fn name(&self) -> String {
        self.property(ACCESSIBLE, "Name").await.unwrap_or_default()
    }

    async fn children(&self) -> Vec<Self> {
        let children: Option<Vec<(String, OwnedObjectPath)>> =
            self.call(ACCESSIBLE, "GetChildren", &()).await;
        children
            .unwrap_or_default()
            .into_iter()
            .map(|(owner, path)| Self {
                bus: self.bus.clone(),
                owner,
                path,
            })
            .collect()
    }

    async fn property<T: TryFrom<OwnedValue>>(&self, interface: &str, name: &str) -> Option<T> {
        let properties = "org.freedesktop.DBus.Properties";
        let value: OwnedValue = self.call(properties, "Get", &(interface, name)).await?;
        T::try_from(value).ok()
    }

    /// What is shown can go away at any moment: a call that fails has no result.
    async fn call<B, R>(&self, interface: &str, method: &str, body: &B) -> Option<R>
    where
        B: serde::Serialize + DynamicType,
        R: DeserializeOwned + Type,
    {
        let owner = Some(self.owner.as_str());
        let answer = self
            .bus
            .call_method(owner, &self.path, Some(interface), method, body);
        answer.await.ok()?.body().deserialize().ok()
    }
}

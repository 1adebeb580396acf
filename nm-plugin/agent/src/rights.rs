//! What polkit will refuse to the person at this terminal, said before it does: over ssh, nmcli's
//! "Not authorized to control networking" is all they would read.

use aws_client_vpn_i18n::gettext;
use aws_client_vpn_network_manager::rights;
use aws_client_vpn_secret_agent::terminal::Terminal;
use aws_client_vpn_sign_in::rights::Right;
use std::rc::Rc;
use std::time::Duration;
use tokio::time::timeout;

/// How long NetworkManager has to answer; polkit may have to be started.
const CALL_TIME: Duration = Duration::from_secs(25);

/// Tells the person at `terminal` if they may not start connections.
pub(crate) async fn tell(bus: zbus::Connection, terminal: Rc<Terminal>) {
    // One that does not answer is told of elsewhere.
    if let Ok(Ok(rights)) = timeout(CALL_TIME, rights(&bus)).await
        && rights.control != Right::Yes
    {
        terminal.say(&gettext!(
            "NetworkManager does not let you start or stop connections from this session without \
             an administrator's password (polkit), as is usual over ssh. Log in at the computer \
             itself, or have an administrator install the polkit rule \
             /usr/share/doc/*aws-client-vpn/docs/50-aws-client-vpn.rules"
        ));
    }
}

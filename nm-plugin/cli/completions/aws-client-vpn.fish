# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_aws_client_vpn_global_optspecs
    string join \n json h/help V/version
end

function __fish_aws_client_vpn_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_aws_client_vpn_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_aws_client_vpn_using_subcommand
    set -l cmd (__fish_aws_client_vpn_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c aws-client-vpn -n "__fish_aws_client_vpn_needs_command" -l json -d 'Print JSON, for programs; aws-client-vpn(1) describes it'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_needs_command" -s V -l version -d 'Print version'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_needs_command" -f -a "connect" -d 'Connect, and sign in from this terminal'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_needs_command" -f -a "disconnect" -d 'Take a connection down'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_needs_command" -f -a "list" -d 'List the connections: name, state, endpoint'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_needs_command" -f -a "import" -d 'Make a connection from a profile (.ovpn)'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_needs_command" -f -a "export" -d 'Print the profile of a connection'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_needs_command" -f -a "remove" -d 'Delete a connection'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_needs_command" -f -a "status" -d 'Show the connections: state, since when, addresses, endpoint, sign-in, the last failure'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_needs_command" -f -a "at-login" -d 'Turn connecting at login on or off'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_needs_command" -f -a "renew" -d 'Sign in again to a connection that is up, before the endpoint ends it'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_needs_command" -f -a "doctor" -d 'Check that everything a connection needs is there, and give a remedy for each problem'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_needs_command" -f -a "logs" -d 'Print the log of the last attempt to connect, ready to paste into a ticket'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand connect" -l timeout -d 'Give up if the connection is not up after this many seconds [default: the connection\'s own limits, such as login-timeout]' -r
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand connect" -l no-browser -d 'Open no browser, only print the link'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand connect" -l stay -d 'Keep running until the connection ends, and handle later sign-ins'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand connect" -l json -d 'Print JSON, for programs; aws-client-vpn(1) describes it'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand connect" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand disconnect" -l json -d 'Print JSON, for programs; aws-client-vpn(1) describes it'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand disconnect" -s h -l help -d 'Print help'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand list" -l names -d 'Print the names only, a line each, for completions'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand list" -l json -d 'Print JSON, for programs; aws-client-vpn(1) describes it'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand list" -s h -l help -d 'Print help'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand import" -l name -d 'Name of the connection [default: the file\'s name without .ovpn]; with --update, which one to update' -r
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand import" -l all-users -d 'Give the connection to all users of this computer'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand import" -l update -d 'Update the connection to the same endpoint from the profile; your own settings are kept'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand import" -l from-aws-client -d 'Import all profiles that AWS\'s own client keeps for you'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand import" -l dry-run -d 'Only show what would be imported'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand import" -l json -d 'Print JSON, for programs; aws-client-vpn(1) describes it'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand import" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand export" -s o -l output -d 'Write the profile to this file, which only you can read' -r -F
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand export" -l json -d 'Print JSON, for programs; aws-client-vpn(1) describes it'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand export" -s h -l help -d 'Print help'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand remove" -l json -d 'Print JSON, for programs; aws-client-vpn(1) describes it'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand remove" -s h -l help -d 'Print help'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand status" -l follow -d 'Keep running, and print the status again whenever it changes; with --json, one object per line'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand status" -l short -d 'Print one line for a status bar: the connections that are up, coming up or going down; empty if there are none'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand status" -l json -d 'Print JSON, for programs; aws-client-vpn(1) describes it'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand at-login" -l except-on -d 'Do not connect on this network (the name of its connection in NetworkManager); may be given several times' -r
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand at-login" -l unless-reachable -d 'Do not connect if this host already answers on this port, as inside the office' -r
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand at-login" -l json -d 'Print JSON, for programs; aws-client-vpn(1) describes it'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand at-login" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand renew" -l json -d 'Print JSON, for programs; aws-client-vpn(1) describes it'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand renew" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand doctor" -l fix -d 'First remove what is left of connections that ended without being taken down (root only)'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand doctor" -l json -d 'Print JSON, for programs; aws-client-vpn(1) describes it'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand logs" -l file -d 'Read this file instead of the journal: the output of `journalctl -o json`, or a log of NetworkManager ("-" for standard input)' -r -F
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand logs" -l report -d 'Write a report on the endpoint to this file, for the developers of this program' -r -F
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand logs" -l all -d 'Print all attempts since the computer was started, not only the last one'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand logs" -l without-addresses -d 'Replace addresses and names in the report with numbers'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand logs" -l json -d 'Print JSON, for programs; aws-client-vpn(1) describes it'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand logs" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand connect" -f -a '(aws-client-vpn list --names 2>/dev/null)'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand disconnect" -f -a '(aws-client-vpn list --names 2>/dev/null)'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand export" -f -a '(aws-client-vpn list --names 2>/dev/null)'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand remove" -f -a '(aws-client-vpn list --names 2>/dev/null)'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand status" -f -a '(aws-client-vpn list --names 2>/dev/null)'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand at-login" -f -a '(aws-client-vpn list --names 2>/dev/null)'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand renew" -f -a '(aws-client-vpn list --names 2>/dev/null)'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand logs" -f -a '(aws-client-vpn list --names 2>/dev/null)'

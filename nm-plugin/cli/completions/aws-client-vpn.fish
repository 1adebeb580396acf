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

complete -c aws-client-vpn -n "__fish_aws_client_vpn_needs_command" -l json -d 'Print JSON, for programs'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_needs_command" -s V -l version -d 'Print version'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_needs_command" -f -a "connect" -d 'Connect, and be asked for the sign-in here'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_needs_command" -f -a "disconnect" -d 'Take a connection down'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_needs_command" -f -a "list" -d 'List the connections: name, state, endpoint'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_needs_command" -f -a "import" -d 'Make a connection of a profile (.ovpn)'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_needs_command" -f -a "export" -d 'Print the profile of a connection'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_needs_command" -f -a "remove" -d 'Delete a connection'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_needs_command" -f -a "status" -d 'Show the connections: state, since when, addresses, endpoint, sign-in, the last failure'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_needs_command" -f -a "at-login" -d 'Have a connection come up by itself when you log in, or not any more'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_needs_command" -f -a "renew" -d 'Sign in again to a connection that is up, before its endpoint ends it'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_needs_command" -f -a "doctor" -d 'Check that all a connection needs is there; each problem with its remedy'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_needs_command" -f -a "logs" -d 'Print the story of a connection from the journal, ready to paste into a ticket'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand connect" -l timeout -d 'Give up when the connection is not up after so many seconds [default: as its settings say]' -r
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand connect" -l no-browser -d 'Open no browser, only print the link'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand connect" -l stay -d 'Stay until the connection is over, and serve its later sign-ins'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand connect" -l json -d 'Print JSON, for programs'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand connect" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand disconnect" -l json -d 'Print JSON, for programs'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand disconnect" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand list" -l names -d 'Print the names only, a line each, for completions'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand list" -l json -d 'Print JSON, for programs'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand import" -l name -d 'Name of the connection [default: that of the file]' -r
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand import" -l all-users -d 'Give the connection to all users of this computer'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand import" -l update -d 'Bring the connection to the profile\'s endpoint up to it; your own settings stay'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand import" -l from-aws-client -d 'Import all profiles that AWS\'s own client keeps for you'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand import" -l dry-run -d 'Only show what would be imported'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand import" -l json -d 'Print JSON, for programs'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand import" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand export" -s o -l output -d 'Write it to this file, which only you may read' -r -F
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand export" -l json -d 'Print JSON, for programs'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand export" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand remove" -l json -d 'Print JSON, for programs'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand remove" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand status" -l follow -d 'Go on, and print it again whenever it changes; with --json, an object a line'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand status" -l short -d 'In one line, for a bar: what is up or on its way, or nothing'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand status" -l json -d 'Print JSON, for programs'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand at-login" -l except-on -d 'Not on this network: the name of a connection of NetworkManager\'s; may be given several times' -r
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand at-login" -l unless-reachable -d 'Not where this host answers at this port: that is inside already' -r
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand at-login" -l json -d 'Print JSON, for programs'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand at-login" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand renew" -l json -d 'Print JSON, for programs'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand renew" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand doctor" -l fix -d 'First take away what a connection left that ended without being taken down (root only)'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand doctor" -l json -d 'Print JSON, for programs'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand logs" -l file -d 'Read this file, not the journal: the output of `journalctl -o json`, or a log of NetworkManager ("-" for standard input)' -r -F
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand logs" -l report -d 'Write a report on the endpoint to this file, for those who write this program' -r -F
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand logs" -l all -d 'All attempts since the computer was started, not only the last one'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand logs" -l without-addresses -d 'Put numbers in the place of addresses and names in the report'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand logs" -l json -d 'Print JSON, for programs'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand logs" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand connect" -f -a '(aws-client-vpn list --names 2>/dev/null)'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand disconnect" -f -a '(aws-client-vpn list --names 2>/dev/null)'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand export" -f -a '(aws-client-vpn list --names 2>/dev/null)'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand remove" -f -a '(aws-client-vpn list --names 2>/dev/null)'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand status" -f -a '(aws-client-vpn list --names 2>/dev/null)'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand at-login" -f -a '(aws-client-vpn list --names 2>/dev/null)'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand renew" -f -a '(aws-client-vpn list --names 2>/dev/null)'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand logs" -f -a '(aws-client-vpn list --names 2>/dev/null)'

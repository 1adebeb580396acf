# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_aws_client_vpn_global_optspecs
    string join \n h/help V/version
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

complete -c aws-client-vpn -n "__fish_aws_client_vpn_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_needs_command" -s V -l version -d 'Print version'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_needs_command" -f -a "status" -d 'Show the connections: state, since when, addresses, endpoint, sign-in'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_needs_command" -f -a "doctor" -d 'Check that all a connection needs is there; each problem with its remedy'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_needs_command" -f -a "logs" -d 'Print the story of a connection from the journal, ready to paste into a ticket'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_needs_command" -f -a "renew" -d 'Sign in anew to a connection that is up, before its endpoint ends it'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand status" -l json -d 'Print JSON, for programs'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand doctor" -l json -d 'Print JSON, for programs'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand doctor" -l fix -d 'First take away what a connection left that ended without being taken down (root only)'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand logs" -l file -d 'Read this file, not the journal: the output of `journalctl -o json`, or a log of NetworkManager ("-" for standard input)' -r -F
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand logs" -l all -d 'All attempts since the computer was started, not only the last one'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand logs" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c aws-client-vpn -n "__fish_aws_client_vpn_using_subcommand renew" -s h -l help -d 'Print help (see more with \'--help\')'

<?php
$config = [
    'users' => [
        'exampleauth:UserPass',
        'ada@example.com:correct horse' => [
            'mail' => ['ada@example.com'],
            'memberOf' => ['engineering', 'vpn'],
        ],
    ],
];

<?php
$metadata['https://login.idp.example/simplesaml'] = [
    'host' => '__DEFAULT__',
    'privatekey' => 'signer.key',
    'certificate' => 'signer.crt',
    'auth' => 'users',
];

<?php
// The directories of a machine of the lab, whose /tmp is its own.
$config = [
    'baseurlpath' => 'https://login.idp.example/simplesaml/',
    'certdir' => '/tmp/simplesamlphp/',
    'metadatadir' => '/tmp/simplesamlphp/',
    'loggingdir' => '/tmp/simplesamlphp/',
    'datadir' => '/tmp/simplesamlphp/',
    'tempdir' => '/tmp/simplesamlphp/',
    'session.phpsession.savepath' => '/tmp/simplesamlphp/',
    'logging.handler' => 'errorlog',
    'secretsalt' => 'for tests only',
    'auth.adminpassword' => 'for tests only',
    'enable.saml20-idp' => true,
    'module.enable' => ['exampleauth' => true],
    'store.type' => 'phpsession',
    'metadata.sources' => [['type' => 'flatfile']],
];

<?php
// What an administrator enters for AWS Client VPN.
$metadata['urn:amazon:webservices:clientvpn'] = [
    'AssertionConsumerService' => 'http://127.0.0.1:35001',
    'NameIDFormat' => 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress',
    'simplesaml.nameidattribute' => 'mail',
    'saml20.sign.response' => true,
    'saml20.sign.assertion' => true,
];

<?php
// SPDX-License-Identifier: GPL-2.0-or-later
// usage: phpmailer.php host seconds

require 'libphp-phpmailer/autoload.php';

[, $host, $seconds] = $argv;
$mail = new PHPMailer\PHPMailer\PHPMailer(true);
$mail->isSMTP();
$mail->Host = $host;
// PHPMailer's two limits are equal by default.
$mail->Timeout = (int)$seconds;
$mail->getSMTPInstance()->Timelimit = (int)$seconds;
$mail->setFrom('alice@sender.example');
$mail->addAddress('bob@recipient.example');
$mail->Body = 'test';
$mail->send();

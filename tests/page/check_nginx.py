# SPDX-License-Identifier: GPL-2.0-or-later
"""usage: python3 -m tests.page.check_nginx

Show the page to others by the real nginx, with the server block of the README
beside the site that Debian's nginx comes with.  Run inside ../setup/sandbox,
where nginx is unpacked.
"""

import contextlib
import http.client
import os
import re
import subprocess
import unittest

from tests.lib import TOP
from tests.lib.files import install, read, write
from tests.lib.net import listens
from tests.lib.process import wait_for

PAGE = "the page of a tarpit\n"
OTHER = "Welcome to nginx!"
NAME = "tarpit.example.org"
ROOT = "/run/www"
CONFIG = """
pid /run/nginx.pid;
error_log stderr;
events { }
http {
	access_log off;
	client_body_temp_path /run/nginx-body;
	proxy_temp_path /run/nginx-proxy;
	fastcgi_temp_path /run/nginx-fastcgi;
	uwsgi_temp_path /run/nginx-uwsgi;
	scgi_temp_path /run/nginx-scgi;
	server {
		listen 80 default_server;
		listen [::]:80 default_server;
		root /run/default;
	}
%s
}
"""


def server_block():
    block, = re.findall(r"^    server \{$.*?^    \}$",
                        read(os.path.join(TOP, "README.md")), re.M | re.S)
    return block


class Nginx(unittest.TestCase):
    def setUp(self):
        block = server_block()
        self.assertIn("root /var/lib/tarpit/www;", block)
        for directory, text in (ROOT, PAGE), ("/run/default", OTHER):
            install(directory + "/index.html", text)
        write("/run/nginx.conf",
              CONFIG % block.replace("/var/lib/tarpit/www", ROOT))
        self.nginx = subprocess.Popen(
            ["nginx", "-e", "stderr", "-c", "/run/nginx.conf",
             "-g", "daemon off;"])
        self.addCleanup(self.nginx.wait)
        self.addCleanup(self.nginx.terminate)
        self.assertTrue(wait_for(self.listens, 300))

    def listens(self):
        self.assertIsNone(self.nginx.poll())
        return os.path.exists("/run/nginx.pid") and len(listens(80)) >= 2

    def get(self, address, host):
        connection = http.client.HTTPConnection(address, 80, timeout=300)
        with contextlib.closing(connection):
            connection.request("GET", "/", headers={"Host": host})
            return connection.getresponse().read().decode()

    def test_ipv4_and_ipv6(self):
        for address in "127.0.0.1", "::1":
            self.assertEqual(self.get(address, NAME), PAGE)
            self.assertEqual(self.get(address, "other.example.org"), OTHER)


if __name__ == "__main__":
    unittest.main()

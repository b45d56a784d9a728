"""Every setting of the Streamlit server, as the admin UI needs it.

Streamlit reads a setting from ``~/.streamlit/config.toml``, then from the files of the working
folder and of the script's folder, then from a variable, then from the program. The last one counts,
also when a file changes while the server runs. So the program sets each of them: no variable and no
file can weaken a check or change the address. Only the theme comes from
``.streamlit/config.toml``.
https://docs.streamlit.io/develop/api-reference/configuration/config.toml
"""

from __future__ import annotations

import os
import secrets
from typing import Any

from core.origins import Addresses

MOST_OF_A_REQUEST_MB = 50
"""The largest message of a websocket, either way."""

_CHECKS: dict[str, Any] = {
    "client.showErrorDetails": "none",
    "client.showErrorLinks": "false",
    "client.disableDataExport": True,  # the pages' own downloads are audited
    "client.allowedOrigins": [],  # of pages that may embed and control this one
    "global.developmentMode": False,
    "server.enableCORS": True,
    "server.enableXsrfProtection": True,
    "server.xsrfCookieSameSite": "lax",
    "server.trustedUserHeaders": {},  # a header with the login
    "server.enableStaticServing": False,
    "server.enableAgentApi": False,
    "server.scriptHealthCheckEnabled": False,
    "server.unsafeMetricsUserAttributes": [],
    "server.maxUploadSize": 1,
    "server.maxMessageSize": MOST_OF_A_REQUEST_MB,
    "server.maxWidgetStateSize": 25,
    "browser.gatherUsageStats": False,
}

_PLACE: dict[str, Any] = {
    "server.baseUrlPath": "",
    "server.customComponentBaseUrlPath": "",
    "server.sslCertFile": "",
    "server.sslKeyFile": "",
    "server.headless": True,
    "server.showEmailPrompt": False,
}

_CODE: dict[str, Any] = {  # what runs, and when
    "server.fileWatcherType": "none",
    "server.folderWatchList": [],
    "server.folderWatchBlacklist": [],
    "server.runOnSave": False,
    "server.allowRunOnSave": False,
    "runner.magicEnabled": False,
    "runner.fastReruns": True,
    "runner.postScriptGC": False,
    "runner.enforceSerializableSessionState": False,
    "runner.enumCoercion": "nameOnly",
    "runner.parallelMaxWorkers": 4,
    "runner.cacheBackgroundRefreshMaxWorkers": 4,
    "runner.cacheBackgroundRefreshTTLMultiplier": 2.0,
    "runner.connectionDefaultTTL": 0.0,
    "runner.cacheHashSeed": 0,
    "global.e2eTest": False,
    "global.unitTest": False,
    "global.appTest": False,
    "magic.displayRootDocString": False,
    "magic.displayLastExprIfNoSemicolon": False,
}

_LOOK: dict[str, Any] = {
    "client.toolbarMode": "minimal",
    "client.showSidebarNavigation": True,
    "ui.hideTopBar": False,  # it contains the list of pages
    "global.disableWidgetStateDuplicationWarning": False,
    "global.showWarningOnDirectExecution": True,
    "global.suppressDeprecationWarnings": False,
    "logger.level": "info",
    "logger.messageFormat": "%(asctime)s %(message)s",
    "logger.enableRich": False,
    "logger.hideWelcomeMessage": True,
}

_LIMITS: dict[str, Any] = {
    # Every message is sent whole. Otherwise the server refers to one that the browser has dropped
    # since it asked, when a run ends in between, and the tab loses its connection.
    "global.minCachedMessageSize": 1e12,
    "global.maxCachedMessageAge": 2,
    "server.maxCacheDataSize": "0",  # each cache has its own limit
    "server.enableExpensiveMemoryStats": False,
    "server.enableWebsocketCompression": False,
    "server.websocketPingInterval": 30,
    "server.disconnectedSessionTTL": 120,
    "server.agentWaitTimeout": 30,
    "server.agentSessionTTL": 900,
    "server.agentMaxSessions": 1,
    "server.agentPreviewRows": 1,
}


def server_settings(addresses: Addresses) -> dict[str, Any]:
    """Every setting but the theme and the secret of cookies, by Streamlit's name for it."""
    shown = addresses.url
    return {
        **_CHECKS,
        **_PLACE,
        **_CODE,
        **_LOOK,
        **_LIMITS,
        "server.address": addresses.address,
        "server.port": addresses.port,
        "server.allowedHosts": sorted({origin.host.strip("[]") for origin in addresses.origins}),
        "server.corsAllowedOrigins": sorted(str(origin) for origin in addresses.origins),
        "browser.serverAddress": shown.host if shown else "localhost",
        "browser.serverPort": shown.port if shown else addresses.port,
    }


def replace_variables() -> None:
    """Remove all of Streamlit's variables, and set a new secret for its cookies.

    The secret is the only setting that a program cannot pass. A login has its own,
    ``cookie_secret``, which is used first.
    """
    for name in list(os.environ):
        if name.upper().startswith("STREAMLIT_"):
            del os.environ[name]
    os.environ["STREAMLIT_SERVER_COOKIE_SECRET"] = secrets.token_hex(32)


def secrets_files(setting: str | None) -> dict[str, Any]:
    """The files with the login, if ``STREAMLIT_SECRETS_FILES`` names them."""
    return {"secrets.files": setting.split(os.pathsep)} if setting else {}

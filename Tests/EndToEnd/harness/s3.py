"""An S3 server for a test, and what stands in its bucket."""

import pathlib
import shutil
import sys
import urllib.request

from pyarrow import fs

from .gateway import Gateway
from .waiting import wait_until

sys.path.append(str(pathlib.Path(__file__).parents[2] / "ObjectStores"))
from seaweedfs import SeaweedFS  # noqa: E402

BUCKET = "delivery"


class ObjectStore(SeaweedFS):
    """SeaweedFS, as a destination of gateways."""

    def deliver(self, gateway: Gateway, identity: str = "admin", bucket: str = BUCKET, **options: str | int) -> None:
        """Adds a delivery to `s3://<bucket>/archive`."""
        keys = self.identities[identity]
        gateway.deliver(**(options | {"destination": f"s3://{bucket}/archive"}))
        gateway.sections["[delivery.s3]"] = {
            "endpoint": self.endpoint,
            "access_key_file": keys["keyFile"],
            "secret_key_file": keys["secretFile"],
            "retry_for": "2s",
        }

    def download(self, folder: pathlib.Path, bucket: str = BUCKET) -> pathlib.Path:
        """A copy of everything below `archive`, by pyarrow's client."""
        keys = self.identities["admin"]
        remote = fs.S3FileSystem(
            access_key=keys["key"], secret_key=keys["secret"], endpoint_override=self.endpoint, region="us-east-1"
        )
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for entry in remote.get_file_info(fs.FileSelector(f"{bucket}/archive", recursive=True, allow_not_found=True)):
            if entry.type == fs.FileType.File:
                target = folder / pathlib.PurePosixPath(entry.path).relative_to(f"{bucket}/archive")
                target.parent.mkdir(parents=True, exist_ok=True)
                wait_until(lambda: self._copy(remote, entry.path, target), f"{entry.path} can be read", 30)
        return folder

    @staticmethod
    def _copy(remote: fs.S3FileSystem, path: str, target: pathlib.Path) -> bool:
        """A server that was just started answers 500 for what stands on volumes that have not yet reported."""
        try:
            with remote.open_input_stream(path) as stream:
                target.write_bytes(stream.read())
            return True
        except OSError as error:
            print(f"{path}: {error}")
            return False

    def make_bucket(self, bucket: str) -> None:
        url = f"http://127.0.0.1:{self.ports['filer.port']}/buckets/{bucket}/"
        with urllib.request.urlopen(urllib.request.Request(url, method="POST"), timeout=10):
            pass

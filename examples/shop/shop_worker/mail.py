"""Mail."""

import smtplib
from email.message import EmailMessage


def send(recipient: str, subject: str, text: str) -> None:
    message = EmailMessage()
    message["To"] = recipient
    message["From"] = "shop@example.com"
    message["Subject"] = subject
    message.set_content(text)
    with smtplib.SMTP("localhost", timeout=10) as server:
        server.send_message(message)
